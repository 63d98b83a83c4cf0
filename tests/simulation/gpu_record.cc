#include <almanac/tests/simulation/gpu_record.h>

#include <almanac/projections/gpu_memory.h>

#include <algorithm>
#include <bit>
#include <variant>

namespace almanac::test {
namespace {

std::string in_gib(std::uint64_t bytes) {
  return std::to_string(bytes / (std::uint64_t{1} << 20U)) + " MiB";
}

}  // namespace

std::string GpuRecord::see(const RecordedEvent& recorded, const std::function<GpuUses()>& uses) {
  now_ = &recorded;
  uses_ = &uses;
  return std::visit([this](const auto& event) { return check(event); }, recorded.event.body);
}

std::uint64_t GpuRecord::Device::free() const {
  const std::uint64_t whole = std::min(budget, size);
  return whole - std::min(own, whole);
}

// By models that may be there, and by tasks.
std::uint64_t GpuRecord::held(const std::string& gpu, const GpuUses& uses) const {
  const auto tasks = uses.bytes.find(gpu);
  std::uint64_t bytes = tasks == uses.bytes.end() ? 0 : tasks->second;
  for (const auto& [name, model] : models_) {
    const bool is_there = model.gpu == gpu && model.state != ModelState::absent &&
                          model.state != ModelState::releasing;
    if (is_there) bytes += std::max(model.bytes(), model.reserved);
  }
  return bytes;
}

bool GpuRecord::has_moving(const std::string& gpu) const {
  return std::ranges::any_of(
      models_, [&](const auto& one) { return one.second.gpu == gpu && one.second.is_moving(); });
}

Position GpuRecord::sampled(const std::string& gpu) const {
  const auto device = devices_.find(gpu);
  return device == devices_.end() ? Position() : device->second.sampled;
}

bool GpuRecord::has_models(const Demands& demands) const {
  return std::ranges::none_of(demands, [&](const auto& demand) {
    const auto model = models_.find(demand.first);
    return model != models_.end() && !model->second.is_loaded();
  });
}

bool GpuRecord::is_of_gpus(const Demands& demands) const {
  return std::ranges::any_of(
      demands, [&](const auto& one) { return is_model(one.first) || is_gpu_memory(one.first); });
}

// ---- Tasks --------------------------------------------------------------------------------------

std::string GpuRecord::judge_start(const Demands& demands, const std::string& gpu,
                                   const GpuUses& uses) {
  bool asks_for_memory = false;
  for (const auto& [name, amount] : demands) {
    if (is_gpu_memory(name)) {
      asks_for_memory = true;
      coverage_.reach(GpuStep::task_with_memory);
      const auto device = devices_.find(gpu);
      if (device == devices_.end() || !device->second.is_there || !device->second.is_sampled) {
        return "memory is given of the GPU '" + gpu + "', which is not there";
      }
      const auto own = gpu_of_demand(name);
      if (!own.empty() && own != gpu) return "memory is given of another GPU";
      if (has_moving(gpu)) return "memory is given of a GPU where a model is on its way";
      const std::uint64_t asked = std::uint64_t{amount} << 20U;
      if (held(gpu, uses) + asked > device->second.most()) {
        return "more memory of '" + gpu + "' is promised than there is: " + in_gib(asked) +
               " beside " + in_gib(held(gpu, uses));
      }
      const auto fresh = uses.fresh.find(gpu);
      const std::uint64_t taken = fresh == uses.fresh.end() ? 0 : fresh->second;
      if (taken + asked > device->second.free()) {
        return "more memory of '" + gpu + "' is given than was free when it was looked at";
      }
    }
    const auto model = models_.find(name);
    if (model == models_.end()) continue;
    coverage_.reach(GpuStep::task_with_model);
    if (!model->second.is_loaded()) return "the model " + name + " is not loaded";
    if (!devices_[model->second.gpu].is_there) return "the GPU of " + name + " is not there";
  }
  return asks_for_memory || gpu.empty() ? "" : "memory is given that nobody asked for";
}

// As if all that tasks were given since they began was missing in the last sample.
bool GpuRecord::has_room(const std::string& gpu, std::uint64_t bytes, const GpuUses& uses) const {
  const Device& device = devices_.at(gpu);
  if (!device.is_there || !device.is_sampled || has_moving(gpu)) return false;
  const auto tasks = uses.bytes.find(gpu);
  const std::uint64_t given = tasks == uses.bytes.end() ? 0 : tasks->second;
  return given + bytes <= device.free() && held(gpu, uses) + bytes <= device.most();
}

bool GpuRecord::may_hold_back(const Demands& demands, const GpuUses& uses) const {
  return std::ranges::any_of(demands, [&](const auto& demand) {
    const auto& [name, amount] = demand;
    if (const auto model = models_.find(name); model != models_.end()) {
      return !model->second.is_loaded() || !devices_.at(model->second.gpu).is_there;
    }
    if (!is_gpu_memory(name)) return false;
    const auto own = gpu_of_demand(name);
    const std::uint64_t asked = std::uint64_t{amount} << 20U;
    return std::ranges::none_of(devices_, [&](const auto& one) {
      return (own.empty() || own == one.first) && has_room(one.first, asked, uses);
    });
  });
}

// ---- What happens outside -----------------------------------------------------------------------

void GpuRecord::engine_begins() {
  working_.clear();
  for (auto& [name, model] : models_) model.leases.clear();
}

// Every step is on record before it is taken.
std::string GpuRecord::work_begins(ModelWork::Kind kind, const std::string& model,
                                   const std::string& gpu) {
  const Known& known = models_[model];
  const ModelState wanted = kind == ModelWork::Kind::load     ? ModelState::loading
                            : kind == ModelWork::Kind::unload ? ModelState::unloading
                                                              : ModelState::unknown;
  if (known.state != wanted || known.gpu != gpu) {
    return "work at the model " + model + " begins that is not on record";
  }
  if (working_.contains(model)) return "two pieces of work at the model " + model + " at once";
  working_[model] = kind == ModelWork::Kind::check ? "" : gpu;
  const auto others = std::ranges::count_if(
      working_, [&](const auto& one) { return one.second == gpu && one.first != model; });
  if (kind == ModelWork::Kind::load && others > 0) return "two models go to one GPU at once";
  return {};
}

std::string GpuRecord::is_leased(const std::string& model, std::uint64_t lease) {
  models_[model].leases.insert(lease);
  return models_[model].is_loaded() ? "" : "a program was given a model that is not loaded";
}

void GpuRecord::is_given_back(const std::string& model, std::uint64_t lease) {
  models_[model].leases.erase(lease);
}

// ---- GPUs on record -----------------------------------------------------------------------------

// Nobody has looked since; what the engine before loaded itself went with it.
std::string GpuRecord::check(const EngineStarted&) {
  for (auto& [gpu, device] : devices_) device.is_there = false;
  for (auto& [name, model] : models_) {
    if (model.state == ModelState::absent) continue;
    model.state = model.commands.empty() ? ModelState::absent : ModelState::unknown;
    model.reserved = 0;
    if (model.state == ModelState::absent) model.gpu.clear();
  }
  return {};
}

std::string GpuRecord::check(const GpuDeviceAppeared& event) {
  coverage_.reach(GpuStep::appeared);
  Device& device = devices_[std::string(event.device)];
  device.is_there = true;
  device.is_sampled = false;
  device.is_estimate = event.is_estimate;
  device.heap = static_cast<std::size_t>(std::countr_zero(event.local));
  device.size = event.sizes[device.heap];
  return {};
}

std::string GpuRecord::check(const GpuDeviceVanished& event) {
  coverage_.reach(event.absence == GpuAbsence::removed ? GpuStep::removed
                  : event.absence == GpuAbsence::lost  ? GpuStep::lost
                                                       : GpuStep::driver_gone);
  const auto device = devices_.find(std::string(event.device));
  if (device == devices_.end()) return "a GPU goes that was never there";
  device->second.is_there = false;
  device->second.vanished = now_->position;
  return {};
}

std::string GpuRecord::check(const GpuSampled& event) {
  const auto found = devices_.find(std::string(event.device));
  if (found == devices_.end() || !found->second.is_there) return "a sample of what is not there";
  Device& device = found->second;
  device.is_sampled = true;
  device.sampled = now_->position;
  device.own = event.own[device.heap];
  device.budget = event.budget[device.heap];
  return {};
}

std::string GpuRecord::check(const GpuAlertRaised& event) {
  coverage_.reach(GpuStep::alert_raised);
  const Device& device = devices_[std::string(event.device)];
  const bool is_high = device.free() <= device.size / 4;
  return device.is_there && event.heap == device.heap && is_high ? "" : "an alert of nothing";
}

std::string GpuRecord::check(const GpuAlertCleared&) {
  coverage_.reach(GpuStep::alert_cleared);
  return {};
}

// ---- Models on record ---------------------------------------------------------------------------

std::string GpuRecord::stands(std::string_view model, std::initializer_list<ModelState> states,
                              const char* what) const {
  const auto known = models_.find(std::string(model));
  const bool does =
      known != models_.end() && std::ranges::find(states, known->second.state) != states.end();
  if (does) return {};
  return "the model " + std::string(model) + " " + what + " and is " +
         std::string(known == models_.end() ? "unknown" : name(known->second.state));
}

void GpuRecord::go(Known& model, ModelState state) {
  model.state = state;
  if (state == ModelState::absent) model.gpu.clear();
  if (state == ModelState::absent) model.leases.clear();
  if (state != ModelState::loading && state != ModelState::settling) model.reserved = 0;
}

std::string GpuRecord::check(const ModelRegistered& event) {
  Known& model = models_[std::string(event.model)];
  if (model.declared != event.bytes || model.commands != event.commands) model.learned = 0;
  model.declared = event.bytes;
  model.commands = event.commands;
  model.priority = event.priority;
  model.is_pinned = event.pinned;
  model.residency = event.residency;
  return {};
}

std::string GpuRecord::check(const ModelChanged& event) {
  Known& model = models_[std::string(event.model)];
  model.priority = event.priority;
  model.is_pinned = event.pinned;
  return {};
}

std::string GpuRecord::check(const ModelLoadStarted& event) {
  coverage_.reach(GpuStep::load);
  if (auto wrong = stands(event.model, {ModelState::absent}, "is to be loaded"); !wrong.empty()) {
    return wrong;
  }
  const std::string gpu(event.gpu);
  const Device& device = devices_[gpu];
  if (!device.is_there || !device.is_sampled) return "a load to a GPU that is not there";
  if (has_moving(gpu)) return "a load to a GPU where a model is on its way";
  Known& model = models_[std::string(event.model)];
  if (event.bytes != model.bytes()) return "more or less is kept free for a load than it takes";
  if (held(gpu, (*uses_)()) + event.bytes > device.most()) {
    return "more memory of '" + gpu + "' is promised to the model " + std::string(event.model) +
           " than there is";
  }
  model.state = ModelState::loading;
  model.gpu = gpu;
  model.reserved = event.bytes;
  return {};
}

std::string GpuRecord::check(const ModelLoaded& event) {
  coverage_.reach(GpuStep::loaded);
  Known& model = models_[std::string(event.model)];
  auto wrong = stands(event.model, {ModelState::loading}, "was loaded");
  if (!wrong.empty()) return wrong;
  if (!devices_[model.gpu].is_there) return "a model was loaded to a GPU that is not there";
  go(model, ModelState::settling);
  model.loaded_at = now_->event.at;
  model.loaded = now_->position;
  return {};
}

std::string GpuRecord::check(const ModelLoadFailed& event) {
  coverage_.reach(GpuStep::load_failed);
  auto wrong = stands(event.model, {ModelState::loading}, "could not be loaded");
  go(models_[std::string(event.model)], ModelState::absent);
  return wrong;
}

std::string GpuRecord::check(const ModelMeasured& event) {
  coverage_.reach(event.bytes > 0 ? GpuStep::measured : GpuStep::not_measured);
  auto wrong = stands(event.model, {ModelState::settling}, "was measured");
  Known& model = models_[std::string(event.model)];
  go(model, ModelState::resident);
  if (event.bytes > 0) model.learned = event.bytes;
  if (event.bytes > devices_[model.gpu].size) return "a model takes more than there is";
  return wrong;
}

std::string GpuRecord::check(const ModelUnloadStarted& event) {
  using Cause = ModelUnloadCause;
  const std::string other(event.beneficiary);
  const bool is_room = event.cause == Cause::room;
  coverage_.reach(event.cause == Cause::asked      ? GpuStep::unload_asked
                  : event.cause == Cause::critical ? GpuStep::unload_critical
                  : event.cause == Cause::unknown  ? GpuStep::unload_unknown
                  : is_gpu_memory(other)           ? GpuStep::unload_for_memory
                                                   : GpuStep::unload_for_room);
  const bool is_unknown = event.cause == Cause::unknown;
  auto wrong = stands(event.model, {is_unknown ? ModelState::unknown : ModelState::resident},
                      "is to be unloaded");
  if (!wrong.empty()) return wrong;
  const std::string name(event.model);
  Known& model = models_[name];
  const GpuUses uses = (*uses_)();
  if (uses.models.contains(name)) return "the model " + name + " is unloaded while tasks use it";
  if (!model.leases.empty()) return "the model " + name + " is unloaded while a program uses it";
  if (has_moving(model.gpu)) return "an unload from a GPU where a model is on its way";
  const bool is_eviction = is_room || event.cause == Cause::critical;
  if (is_eviction && model.is_pinned) return "the model " + name + " is pinned and has to go";
  if (is_room && now_->event.at < model.loaded_at + model.residency) {
    return "the model " + name + " has to go before its residency is over";
  }
  const std::int32_t priority = is_gpu_memory(other) ? 0 : models_[other].priority;
  if (is_room && model.priority > priority) return "the model " + name + " gives way to a lesser";
  go(model, ModelState::unloading);
  return {};
}

std::string GpuRecord::check(const ModelUnloaded& event) {
  coverage_.reach(GpuStep::unloaded);
  auto wrong = stands(event.model, {ModelState::unloading}, "was unloaded");
  go(models_[std::string(event.model)], ModelState::releasing);
  return wrong;
}

std::string GpuRecord::check(const ModelUnloadFailed& event) {
  coverage_.reach(GpuStep::unload_failed);
  auto wrong = stands(event.model, {ModelState::unloading}, "could not be unloaded");
  go(models_[std::string(event.model)], ModelState::unknown);
  return wrong;
}

std::string GpuRecord::check(const ModelReleased& event) {
  coverage_.reach(event.is_slow ? GpuStep::released_slowly : GpuStep::released);
  auto wrong = stands(event.model, {ModelState::releasing}, "was released");
  go(models_[std::string(event.model)], ModelState::absent);
  return wrong;
}

// With its GPU, which went behind the load.
std::string GpuRecord::check(const ModelLost& event) {
  coverage_.reach(GpuStep::model_lost);
  Known& model = models_[std::string(event.model)];
  const bool has_gone = devices_[model.gpu].vanished > model.loaded;
  auto wrong = stands(event.model,
                      {ModelState::settling, ModelState::resident, ModelState::unloading,
                       ModelState::releasing, ModelState::unknown},
                      "is lost");
  go(model, ModelState::absent);
  return wrong.empty() && !has_gone ? "a model is lost, and its GPU is there" : wrong;
}

std::string GpuRecord::check(const ModelChecked& event) {
  coverage_.reach(event.is_loaded ? GpuStep::checked_there : GpuStep::checked_gone);
  auto wrong = stands(event.model, {ModelState::unknown}, "was checked");
  go(models_[std::string(event.model)],
     event.is_loaded ? ModelState::resident : ModelState::absent);
  return wrong;
}

std::string GpuRecord::check(const ModelUsed&) {
  coverage_.reach(GpuStep::used);
  return {};
}

std::string GpuRecord::check(const ModelDegraded&) {
  coverage_.reach(GpuStep::degraded);
  return {};
}

}  // namespace almanac::test
