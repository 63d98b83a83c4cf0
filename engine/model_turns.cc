#include <almanac/engine/model_turns.h>

#include <almanac/projections/lane_claims.h>
#include <almanac/projections/limits.h>

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

namespace almanac {
namespace {

// What a model takes is doubted once for so long at most.
constexpr Duration doubt_max = std::chrono::hours(1);

// A model, or memory: `id` is the demand of it then.
struct Wanted {
  NameId id;
  Time since;
  RoomWish wish;
  std::uint32_t mebibytes = 0;
  [[nodiscard]] auto place() const {
    return std::tuple(-std::int64_t{wish.priority}, since, id, mebibytes);
  }
};

MemoryWish wish_of(const Wanted& one) { return {one.id, one.mebibytes}; }

// What is to go from a GPU so that one that is overdue has room.
struct Giving {
  NameId gpu;
  std::vector<NameId> victims;      // none while they may not be asked to yet
  std::optional<Time> possible_at;  // when the next may be
  std::int32_t priority = 0;        // the highest, and the one that is there for the least time, …
  Time loaded_at;                   // … of all that would have to
};

class TurnPlanner {
 public:
  using WantedMemory = std::map<MemoryWish, Time>;
  TurnPlanner(ModelRoom room, const Names& names, const std::map<NameId, Time>& wanted,
              const WantedMemory& memory, Duration patience)
      : room_(std::move(room)),
        kept_(room_),
        names_(names),
        wanted_(wanted),
        memory_(memory),
        patience_(patience) {
    // What tasks wait for stays where it is.
    for (const auto& [id, since] : wanted_) ++kept_.uses[id].in_use;
  }

  ModelTurns run() {
    for (const Wanted& one : in_line()) serve(one);
    return std::move(turns_);
  }

 private:
  [[nodiscard]] const Model& model(NameId id) const { return *room_.models.all.find(id); }
  [[nodiscard]] std::uint32_t uses_of(NameId id) const {
    const auto found = room_.uses.find(id);
    return found == room_.uses.end() ? 0 : found->second.in_use;
  }
  void consider(Time at) {
    if (at > room_.now && (!turns_.next || at < *turns_.next)) turns_.next = at;
  }

  std::vector<Wanted> in_line() {
    std::vector<Wanted> line;
    for (const auto& [id, since] : wanted_) {
      const auto use = room_.uses.find(id);
      const bool is_moving = use != room_.uses.end() && use->second.is_leaving;
      if (model(id).state != ModelState::absent || is_moving) continue;
      const ModelSetting& setting = model(id).setting;
      line.push_back({id, since, {model(id).bytes(), setting.gpu, setting.priority}});
    }
    for (const auto& [wish, since] : memory_) {
      const auto identity = gpu_of_demand(names_.text(wish.demand));
      const auto gpu = identity.empty() ? std::nullopt : names_.find(identity);
      line.push_back({wish.demand, since, {wish.bytes(), gpu, 0, false}, wish.mebibytes});
    }
    std::ranges::sort(line, {}, &Wanted::place);
    return line;
  }

  void serve(const Wanted& one) {
    const Time overdue_at = one.since + patience_;
    if (one.wish.is_model) {
      turns_.overdue_at.emplace(one.id, overdue_at);
      if (model(one.id).retry_at > room_.now) return consider(model(one.id).retry_at);
    }
    const bool is_overdue = overdue_at <= room_.now;
    LoadPlan plan = plan_for(one, is_overdue);
    if (plan.kind == LoadPlan::Kind::load) make_room_for_more(one, is_overdue, plan);
    if (plan.kind == LoadPlan::Kind::load) return take_room(one, plan.gpu, is_overdue);
    if (!one.wish.is_model) turns_.memory_overdue_at.emplace(wish_of(one), overdue_at);
    if (plan.kind == LoadPlan::Kind::evict) {
      return take(one, {one.id, plan.gpu, true, plan.evict.front()});
    }
    consider_residency(one);
    consider(overdue_at);
    if (is_overdue) make_give_way(one);
  }

  void make_room_for_more(Wanted one, bool is_overdue, LoadPlan& plan) {
    const auto more = one.wish.is_model ? wish_behind_failures(model(one.id)) : std::nullopt;
    if (!more) return;
    one.wish = *more;
    LoadPlan roomy = plan_for(one, is_overdue);
    if (roomy.kind == LoadPlan::Kind::evict) plan = std::move(roomy);
  }

  // With what is used often in use, as long as it stays for that.
  LoadPlan plan_for(const Wanted& one, bool is_overdue) {
    if (is_overdue) return plan_room(kept_, names_, one.wish);
    std::vector<NameId> staying;
    for (const auto& [id, other] : room_.models.all) {
      if (other.is_loaded() && stays_until(id, one) > room_.now) staying.push_back(id);
    }
    for (const NameId id : staying) ++kept_.uses[id].in_use;
    LoadPlan plan = plan_room(kept_, names_, one.wish);
    for (const NameId id : staying) --kept_.uses[id].in_use;
    return plan;
  }

  // Expected within two of the patience: heat * 2 * patience / half-life, and never more than one.
  [[nodiscard]] Time stays_until(NameId id, const Wanted& one) const {
    const double uses = static_cast<double>(heat_at(model(id), room_.now)) / 1'000.0;
    const double patience = static_cast<double>(patience_.count());
    const double expected =
        uses * 2 * patience / static_cast<double>(limits::model_heat_half_life.count());
    return one.since + Duration(static_cast<std::int64_t>(patience * std::min(expected, 1.0)));
  }

  // Memory that is there is given by itself (dispatch.h).
  void take_room(const Wanted& one, NameId gpu, bool is_overdue) {
    if (one.wish.is_model) {
      return take(one, {.model = one.id, .gpu = gpu, .evicts = false, .victim = {}});
    }
    if (is_overdue) claim(one, gpu);
  }

  void take(const Wanted& one, const ModelTurn& step) {
    turns_.steps.push_back(step);
    claim(one, step.gpu);
  }
  // One thing at a time goes on there, and what comes free is for who is served.
  void claim(const Wanted& one, NameId gpu) {
    room_.moving.insert(gpu);
    kept_.moving.insert(gpu);
    turns_.kept.emplace(gpu, wish_of(one));
  }

  // Until then those that nobody uses stay as well.
  void consider_residency(const Wanted& wanted) {
    for (const auto& [id, one] : room_.models.all) {
      if (!one.is_loaded() || wanted_.contains(id)) continue;
      consider(std::max(one.loaded_at + one.setting.residency, stays_until(id, wanted)));
    }
    for (const auto& [gpu, hold] : room_.held) consider(hold.settles_at);
  }

  void make_give_way(const Wanted& one) {
    auto best = best_giving(one, room_);
    if (!best) best = doubtful_giving(one);
    if (!best) return;
    if (best->possible_at) consider(*best->possible_at);
    const bool is_free = !has_one_on_its_way(room_, best->gpu);
    const NameId* idle = nullptr;
    for (const NameId& victim : best->victims) {
      turns_.closed.emplace(victim, one.id);
      if (idle == nullptr && uses_of(victim) == 0) idle = &victim;
    }
    if (is_free && idle != nullptr) turns_.steps.push_back({one.id, best->gpu, true, *idle});
    claim(one, best->gpu);
    claimed_.insert(best->gpu);
  }

  [[nodiscard]] std::optional<Giving> best_giving(const Wanted& one, const ModelRoom& room) const {
    std::optional<Giving> best;
    for (const GpuRoom& gpu : room.gpus) {
      const auto& own = one.wish.gpu;
      if (!gpu.is_usable || (own && *own != gpu.gpu) || claimed_.contains(gpu.gpu)) continue;
      auto giving = giving_on(one, gpu.gpu, room);
      if (giving && (!best || comes_before(*giving, *best))) best = std::move(giving);
    }
    return best;
  }

  // As if each took all that would have been believed of it (learned_bytes). What may be in vain
  // keeps nothing from anybody before it is due.
  std::optional<Giving> doubtful_giving(const Wanted& one) {
    Models most = room_.models;
    for (const auto& [id, known] : room_.models.all) {
      const bool may_go = !known.setting.is_pinned && known.setting.priority <= one.wish.priority &&
                          known.gpu && known.state != ModelState::unknown;
      if (may_go) most.all.edit(id)->learned = std::max(known.bytes(), 2 * known.setting.bytes);
    }
    const ModelRoom room{.models = most,
                         .gpus = room_.gpus,
                         .uses = room_.uses,
                         .moving = room_.moving,
                         .now = room_.now,
                         .held = room_.held};
    auto giving = best_giving(one, room);
    if (!giving) return std::nullopt;
    for (const NameId victim : giving->victims) {
      const Time doubted_at = doubted_from(model(victim), one);
      if (doubted_at <= room_.now) continue;
      giving->possible_at = std::max(giving->possible_at.value_or(Time()), doubted_at);
    }
    if (!giving->possible_at) return giving;
    consider(*giving->possible_at);
    return std::nullopt;
  }

  // Once it has been there for as long as the other had waited for that.
  static Time doubted_from(const Model& victim, const Wanted& one) {
    return victim.loaded_at + std::clamp(victim.loaded_at - one.since, Duration(0), doubt_max);
  }

  static bool comes_before(const Giving& one, const Giving& other) {
    const auto key = [](const Giving& giving) {
      return std::tuple(giving.possible_at.has_value(), giving.priority, giving.loaded_at);
    };
    return key(one) < key(other);
  }

  // How long it has its place for itself.
  [[nodiscard]] Time kept_until(NameId id) const {
    const Model& one = model(id);
    const bool has_tasks = wanted_.contains(id) || uses_of(id) > 0;
    const Duration residency = one.setting.residency;
    return one.loaded_at + (has_tasks ? std::max({patience_, residency, Duration(1)}) : residency);
  }

  // None where it would not have room even then.
  [[nodiscard]] std::optional<Giving> giving_on(const Wanted& one, NameId gpu,
                                                const ModelRoom& room) const {
    Giving giving{.gpu = gpu, .victims = {}, .possible_at = {}, .loaded_at = {}};
    std::int64_t left = bytes_to_be_free(room, gpu);
    // What tasks have comes free when they end: none begins there meanwhile.
    const auto tasks = room.held.find(gpu);
    if (tasks != room.held.end()) left += static_cast<std::int64_t>(tasks->second.held);
    const auto needs = static_cast<std::int64_t>(one.wish.bytes);
    std::vector<NameId> there = giving_models(gpu, one.wish.priority);
    for (const NameId id : there) {
      if (left >= needs) break;
      left += static_cast<std::int64_t>(room.models.all.find(id)->bytes());
      giving.victims.push_back(id);
      giving.priority = std::max(giving.priority, model(id).setting.priority);
      giving.loaded_at = std::max(giving.loaded_at, model(id).loaded_at);
    }
    if (left < needs) return std::nullopt;
    drop_needless(giving.victims, left - needs, room.models);
    for (const NameId id : giving.victims) {
      const Time until = kept_until(id);
      if (model(id).state == ModelState::resident && until <= room_.now) continue;
      giving.possible_at = std::max(giving.possible_at.value_or(Time()), until);
    }
    if (giving.possible_at) giving.victims.clear();
    return giving;
  }

  // Those that may have to go, the lowest priority and the longest there first: the order does not
  // change while they are used.
  [[nodiscard]] std::vector<NameId> giving_models(NameId gpu, std::int32_t priority) const {
    std::vector<NameId> there;
    for (const auto& [id, one] : room_.models.all) {
      const auto use = room_.uses.find(id);
      const bool is_leaving = use != room_.uses.end() && use->second.is_leaving;
      const bool may_go = one.gpu == gpu && !one.setting.is_pinned && !is_leaving &&
                          one.setting.priority <= priority &&
                          (one.is_loaded() || one.state == ModelState::loading);
      if (may_go) there.push_back(id);
    }
    std::ranges::sort(there, {}, [&](NameId id) {
      const Model& one = model(id);
      const Time since = one.state == ModelState::loading ? Time::max() : one.loaded_at;
      return std::tuple(one.setting.priority, since, id);
    });
    return there;
  }

  // Those that the others are enough without, of what was added last first.
  static void drop_needless(std::vector<NameId>& victims, std::int64_t spare,
                            const Models& models) {
    for (std::size_t i = victims.size(); i-- > 0;) {
      const auto bytes = static_cast<std::int64_t>(models.all.find(victims[i])->bytes());
      if (bytes > spare) continue;
      spare -= bytes;
      victims.erase(victims.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  ModelRoom room_;
  ModelRoom kept_;
  const Names& names_;
  const std::map<NameId, Time>& wanted_;
  const WantedMemory& memory_;
  const Duration patience_;
  ModelTurns turns_;
  std::set<NameId> claimed_;  // GPUs where others give way to one that is overdue
};

}  // namespace

ModelTurns model_turns(ModelRoom room, const Names& names, const std::map<NameId, Time>& wanted,
                       Duration patience, const std::map<MemoryWish, Time>& memory) {
  return TurnPlanner(std::move(room), names, wanted, memory, patience).run();
}

ModelTurns model_turns(const State& state, Time now, Duration patience) {
  const auto wanted = wanted_models(state);
  const bool is_missing = std::ranges::any_of(wanted, [&](const auto& one) {
    return state.models.all.find(one.first)->state == ModelState::absent;
  });
  const auto memory = wanted_memory(state);
  if (!is_missing && memory.empty()) return {};
  return model_turns(room_of(state, now), state.names, wanted, patience, memory);
}

ModelWait model_wait(const State& state, NameId id, Time now) {
  using Kind = ModelWait::Kind;
  const Model* model = state.models.all.find(id);
  if (model == nullptr) return {};
  ModelWait wait{.since = model->changed_at};
  const auto wanted = wanted_models(state);
  if (is_usable(state, *model)) {
    for (const auto& [other, since] : wanted) {
      const bool waits = state.models.all.find(other)->state == ModelState::absent;
      if (!waits || (wait.other && since >= wait.since)) continue;
      wait = {.kind = Kind::gives_way, .other = other, .since = since};
    }
    return wait;
  }
  switch (model->state) {
    case ModelState::absent: break;
    case ModelState::loading: wait.kind = Kind::loading; return wait;
    case ModelState::unloading:
    case ModelState::releasing: wait.kind = Kind::unloading; return wait;
    default: wait.kind = Kind::unknown; return wait;
  }
  if (model->retry_at > now) return {.kind = Kind::has_failed, .since = model->retry_at};
  ModelRoom room = room_of(state, now);
  for (const auto& [other, since] : wanted) ++room.uses[other].in_use;
  LoadPlan plan = plan_load(room, state.names, id);
  if (plan.kind == LoadPlan::Kind::load) return {.kind = Kind::next};
  if (plan.kind == LoadPlan::Kind::evict) return {.kind = Kind::makes_room, .other = plan.evict[0]};
  return {.kind = Kind::short_of_memory, .numbers = std::move(plan.reason)};
}

ModelWait memory_wait(const State& state, const MemoryWish& wish, Time now) {
  using Kind = ModelWait::Kind;
  ModelRoom room = room_of(state, now);
  for (const auto& [other, since] : wanted_models(state)) ++room.uses[other].in_use;
  const auto gpu = gpu_asked(state, wish.demand).gpu;
  LoadPlan plan = plan_room(room, state.names, {wish.bytes(), gpu, 0, false});
  if (plan.kind == LoadPlan::Kind::evict) return {.kind = Kind::makes_room, .other = plan.evict[0]};
  if (plan.kind != LoadPlan::Kind::load) {
    return {.kind = Kind::short_of_memory, .numbers = std::move(plan.reason)};
  }
  ModelWait wait;
  const auto note = [&](NameId other, Time since) {
    if (wait.other && since >= wait.since) return;
    wait = {.kind = Kind::gives_way, .other = other, .since = since};
  };
  for (const auto& [other, since] : wanted_models(state)) {
    if (state.models.all.find(other)->state == ModelState::absent) note(other, since);
  }
  for (const auto& [other, since] : wanted_memory(state)) {
    if (other != wish) note(other.demand, since);
  }
  return wait;
}

}  // namespace almanac
