#include <almanac/projections/models.h>

#include <almanac/projections/limits.h>
#include <almanac/projections/tasks.h>

#include <algorithm>
#include <array>
#include <initializer_list>

namespace almanac {
namespace {

// None where it is not known, or stands elsewhere.
Model* find_model(Models& models, const Names& names, std::string_view model,
                  std::initializer_list<ModelState> states) {
  const auto id = names.find(model);
  const Model* known = id ? models.all.find(*id) : nullptr;
  const bool is_there = known != nullptr && std::ranges::find(states, known->state) != states.end();
  return is_there ? models.all.edit(*id) : nullptr;
}

Model* find_model(Models& models, const Names& names, std::string_view model) {
  const auto id = names.find(model);
  return id && models.all.contains(*id) ? models.all.edit(*id) : nullptr;
}

void enter(Model& model, ModelState state, const EventPlace& place) {
  model.state = state;
  model.changed = place.position;
  model.changed_at = place.at;
  if (state == ModelState::absent) model.gpu.reset();
  if (state != ModelState::loading && state != ModelState::settling) model.reserved = 0;
}

void count_failure(Model& model, Time next) {
  ++model.failures;
  ++model.failures_in_row;
  model.retry_at = next;
}

constexpr std::uint64_t heat_of_use = 1'000;
constexpr std::uint64_t heat_max = std::uint64_t{1} << 40U;

void add_heat(Model& model, std::uint64_t uses, Time at) {
  const std::uint64_t added = std::min(uses, heat_max / heat_of_use) * heat_of_use;
  model.heat = std::min(heat_at(model, at) + added, heat_max);
  model.used_at = std::max(model.used_at, at);
}

std::optional<NameId> interned(Names& names, std::string_view name) {
  return name.empty() ? std::nullopt : std::optional(names.intern(name));
}

std::uint64_t number_of_name(const std::optional<NameId>& name) {
  return name ? std::uint64_t{name->value} + 1 : 0;
}

}  // namespace

std::string_view name(ModelState state) {
  switch (state) {
    case ModelState::absent: return "absent";
    case ModelState::loading: return "loading";
    case ModelState::settling: return "settling";
    case ModelState::resident: return "resident";
    case ModelState::unloading: return "unloading";
    case ModelState::releasing: return "releasing";
    case ModelState::unknown: return "unknown";
  }
  return "unknown";
}

// Halved for each half-life, and between two of them on a straight line.
std::uint64_t heat_at(const Model& model, Time now) {
  if (now <= model.used_at || model.heat == 0) return model.heat;
  const Duration since = now - model.used_at;
  const auto halvings = since / limits::model_heat_half_life;
  if (halvings >= 40) return 0;
  const std::uint64_t heat = model.heat >> static_cast<unsigned>(halvings);
  const auto rest = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(since % limits::model_heat_half_life)
          .count());
  const auto whole = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(limits::model_heat_half_life).count());
  return heat - heat / 2 * rest / whole;
}

bool fold(Models& models, Names& names, const EventPlace& place, const ModelRegistered& event) {
  const NameId id = names.intern(event.model);
  const auto gpu = interned(names, event.gpu);
  const auto alternative = interned(names, event.alternative);
  if (!models.all.contains(id)) {
    Model model;
    enter(model, ModelState::absent, place);
    models.all.set(id, model);
  }
  Model& model = *models.all.edit(id);
  // What was learned of another model, or of what it was loaded by, says nothing of this one.
  if (model.setting.bytes != event.bytes || model.setting.commands.view() != event.commands) {
    model.learned = 0;
  }
  model.setting = {.bytes = event.bytes,
                   .gpu = gpu,
                   .alternative = alternative,
                   .priority = event.priority,
                   .is_pinned = event.pinned,
                   .residency = event.residency,
                   .timeout = event.timeout,
                   .commands = SharedText(event.commands)};
  model.registered = place.position;
  model.retry_at = Time();
  model.failures_in_row = 0;
  return true;
}

bool fold(Models& models, Names& names, const EventPlace&, const ModelChanged& event) {
  Model* model = find_model(models, names, event.model);
  if (model == nullptr) return false;
  model->setting.is_pinned = event.pinned;
  model->setting.priority = event.priority;
  return true;
}

bool fold(Models& models, Names& names, const EventPlace&, const ModelRemoved& event) {
  if (find_model(models, names, event.model, {ModelState::absent}) == nullptr) return false;
  models.all.erase(*names.find(event.model));
  return true;
}

bool fold(Models& models, Names& names, const EventPlace& place, const ModelLoadStarted& event) {
  Model* model = find_model(models, names, event.model, {ModelState::absent});
  if (model == nullptr || event.gpu.empty()) return false;
  enter(*model, ModelState::loading, place);
  model->gpu = names.intern(event.gpu);
  model->reserved = event.bytes;
  return true;
}

bool fold(Models& models, Names& names, const EventPlace& place, const ModelLoaded& event) {
  Model* model = find_model(models, names, event.model, {ModelState::loading});
  if (model == nullptr) return false;
  enter(*model, ModelState::settling, place);
  model->load_time = event.took;
  model->loaded_at = place.at;
  model->failures_in_row = 0;
  model->retry_at = Time();
  ++model->loads;
  return true;
}

bool fold(Models& models, Names& names, const EventPlace& place, const ModelLoadFailed& event) {
  Model* model = find_model(models, names, event.model, {ModelState::loading});
  if (model == nullptr) return false;
  enter(*model, ModelState::absent, place);
  count_failure(*model, event.next);
  return true;
}

bool fold(Models& models, Names& names, const EventPlace& place, const ModelMeasured& event) {
  Model* model = find_model(models, names, event.model, {ModelState::settling});
  if (model == nullptr) return false;
  enter(*model, ModelState::resident, place);
  if (event.bytes > 0) model->learned = event.bytes;
  return true;
}

bool fold(Models& models, Names& names, const EventPlace& place, const ModelUnloadStarted& event) {
  Model* model =
      find_model(models, names, event.model, {ModelState::resident, ModelState::unknown});
  if (model == nullptr) return false;
  enter(*model, ModelState::unloading, place);
  const bool is_evicted =
      event.cause == ModelUnloadCause::room || event.cause == ModelUnloadCause::critical;
  if (is_evicted) ++model->evictions;
  return true;
}

bool fold(Models& models, Names& names, const EventPlace& place, const ModelUnloaded& event) {
  Model* model = find_model(models, names, event.model, {ModelState::unloading});
  if (model == nullptr) return false;
  enter(*model, ModelState::releasing, place);
  model->failures_in_row = 0;
  model->retry_at = Time();
  return true;
}

bool fold(Models& models, Names& names, const EventPlace& place, const ModelUnloadFailed& event) {
  Model* model = find_model(models, names, event.model, {ModelState::unloading});
  if (model == nullptr) return false;
  enter(*model, ModelState::unknown, place);
  count_failure(*model, event.next);
  return true;
}

bool fold(Models& models, Names& names, const EventPlace& place, const ModelReleased& event) {
  Model* model = find_model(models, names, event.model, {ModelState::releasing});
  if (model == nullptr) return false;
  enter(*model, ModelState::absent, place);
  if (event.is_slow) ++model->slow_releases;
  return true;
}

bool fold(Models& models, Names& names, const EventPlace& place, const ModelLost& event) {
  Model* model = find_model(models, names, event.model,
                            {ModelState::settling, ModelState::resident, ModelState::unloading,
                             ModelState::releasing, ModelState::unknown});
  if (model == nullptr) return false;
  enter(*model, ModelState::absent, place);
  return true;
}

bool fold(Models& models, Names& names, const EventPlace& place, const ModelChecked& event) {
  Model* model = find_model(models, names, event.model, {ModelState::unknown});
  if (model == nullptr) return false;
  enter(*model, event.is_loaded ? ModelState::resident : ModelState::absent, place);
  model->retry_at = Time();
  return true;
}

void note_use(Models& models, NameId model, Time at) {
  if (!models.all.contains(model)) return;
  Model& used = *models.all.edit(model);
  ++used.uses;
  add_heat(used, 1, at);
}

bool fold(Models& models, Names& names, const EventPlace&, const ModelUsed& event) {
  Model* model = find_model(models, names, event.model);
  if (model == nullptr) return false;
  model->uses += event.uses;
  add_heat(*model, event.uses, event.last);
  return true;
}

bool fold(Models& models, Names& names, const EventPlace&, const ModelDegraded& event) {
  Model* model = find_model(models, names, event.model);
  if (model == nullptr) return false;
  model->degraded += event.times;
  return true;
}

void forget_loaded(Models& models) {
  std::vector<NameId> there;
  for (const auto& [id, model] : models.all) {
    if (model.state != ModelState::absent) there.push_back(id);
  }
  for (const NameId id : there) {
    Model& model = *models.all.edit(id);
    const bool is_gone = model.setting.commands.view().empty();
    model.state = is_gone ? ModelState::absent : ModelState::unknown;
    if (is_gone) model.gpu.reset();
    model.reserved = 0;
    model.retry_at = Time();
  }
}

void Models::hash_into(StateHasher& hasher) const {
  if (all.empty()) return;
  constexpr std::uint64_t part = 0x6d6f64656c73;  // "models"
  hasher.numbers(std::array{part, std::uint64_t{all.size()}});
  for (const auto& [id, model] : all) {
    const ModelSetting& setting = model.setting;
    hasher.numbers(std::array{
        std::uint64_t{id.value}, setting.bytes, number_of_name(setting.gpu),
        number_of_name(setting.alternative), static_cast<std::uint64_t>(setting.priority),
        std::uint64_t{setting.is_pinned}, static_cast<std::uint64_t>(setting.residency.count()),
        static_cast<std::uint64_t>(setting.timeout.count())});
    hasher.text(setting.commands.view());
    hasher.numbers(std::array{
        std::uint64_t(model.state), number_of_name(model.gpu), model.learned, model.reserved,
        static_cast<std::uint64_t>(model.load_time.count()), model.uses, model.loads,
        model.failures, std::uint64_t{model.failures_in_row}, model.evictions, model.slow_releases,
        model.degraded, model.registered.value, model.changed.value, number_of(model.changed_at),
        number_of(model.loaded_at), number_of(model.used_at), number_of(model.retry_at)});
  }
}

std::vector<std::string> broken_invariants(const Models& models, const Names& names) {
  std::vector<std::string> broken;
  for (const auto& [id, model] : models.all) {
    const auto expect = [&, of = id](bool holds, const char* otherwise) {
      if (!holds) broken.push_back("name " + std::to_string(of.value) + otherwise);
    };
    const auto is_named = [&](const std::optional<NameId>& name) {
      return !name || names.contains(*name);
    };
    const bool is_reserved =
        model.state == ModelState::loading || model.state == ModelState::settling;
    expect(names.contains(id), " is a model without a name");
    expect(
        is_named(model.setting.gpu) && is_named(model.setting.alternative) && is_named(model.gpu),
        " is a model with a GPU or an alternative without a name");
    expect((model.state == ModelState::absent) == !model.gpu, " is a model that is nowhere");
    expect(is_reserved || model.reserved == 0, " is a model with room that nobody needs");
    expect(model.registered && model.changed, " is a model that was never registered");
  }
  return broken;
}

}  // namespace almanac
