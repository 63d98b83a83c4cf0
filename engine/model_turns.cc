#include <almanac/engine/model_turns.h>

#include <almanac/projections/lane_claims.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace almanac {
namespace {

// Since when its tasks have waited, whatever came to the front of the lane meanwhile. One that has
// given way waits anew: it has had its turn.
Time waiting_since(const State& state, const Lane& lane, NameId id, const Model& model) {
  const TaskId first = state.tasks.ready.lanes().find(lane)->first()->id;
  const Task& task = *state.tasks.all.find(first);
  Time since = std::max(task.enqueued_at, task.run_at);
  const LaneWait* known = state.tasks.blocked.find(lane);
  const bool is_known = known != nullptr && known->reason == LaneBlock::model && known->limit == id;
  if (is_known) since = std::min(since, known->since);
  return model.state == ModelState::absent ? std::max(since, model.changed_at) : since;
}

// Whether something else than a model keeps its tasks from ever beginning, as things are.
bool is_held_back(const State& state, const Lane& lane, const std::vector<LaneClaim>& claims) {
  if (state.pauses.hold_back(lane)) return true;
  const LaneWait* known = state.tasks.blocked.find(lane);
  if (known != nullptr && known->reason == LaneBlock::handler) return true;
  if (!state.implementations.versions_of(lane.kind).takes(lane.version)) return true;
  if (state.implementations.hold_back(lane.kind)) return true;
  return std::ranges::any_of(claims, [&](const LaneClaim& one) {
    if (one.on == ClaimOn::model) return false;
    const ClaimRoom room = room_for(state, one, state.time);
    return one.amount > room.most || (one.on == ClaimOn::circuit && room.free == 0);
  });
}

bool names_model(const State& state, const Lane& lane) {
  return std::ranges::any_of(
      state.tasks.demand_sets.of(lane.demands),
      [&](const LimitDemand& demand) { return state.models.all.contains(demand.limit); });
}

struct Wanted {
  NameId id;
  Time since;
  std::int32_t priority = 0;
};

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
  TurnPlanner(ModelRoom room, const Names& names, const std::map<NameId, Time>& wanted,
              Duration patience)
      : room_(std::move(room)), kept_(room_), names_(names), wanted_(wanted), patience_(patience) {
    // What tasks wait for stays where it is; and for those who are not overdue what has been used
    // not long ago.
    for (const auto& [id, since] : wanted_) ++kept_.uses[id].in_use;
    lingering_ = kept_.uses;
    for (const auto& [id, one] : room_.models.all) {
      if (lingers_until(id) > room_.now) ++lingering_[id].in_use;
    }
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
      line.push_back({id, since, model(id).setting.priority});
    }
    std::ranges::sort(line, [](const Wanted& one, const Wanted& other) {
      return std::tuple(-std::int64_t{one.priority}, one.since, one.id) <
             std::tuple(-std::int64_t{other.priority}, other.since, other.id);
    });
    return line;
  }

  void serve(const Wanted& one) {
    const Time overdue_at = one.since + patience_;
    turns_.overdue_at.emplace(one.id, overdue_at);
    if (model(one.id).retry_at > room_.now) return consider(model(one.id).retry_at);
    const bool is_overdue = overdue_at <= room_.now;
    if (!is_overdue) kept_.uses.swap(lingering_);
    LoadPlan plan = plan_load(kept_, names_, one.id);
    if (!is_overdue) kept_.uses.swap(lingering_);
    if (plan.kind == LoadPlan::Kind::load) {
      return take({.model = one.id, .gpu = plan.gpu, .evicts = false, .victim = {}});
    }
    if (plan.kind == LoadPlan::Kind::evict) {
      return take({one.id, plan.gpu, true, plan.evict.front()});
    }
    consider_residency();
    consider(overdue_at);
    if (is_overdue) make_give_way(one);
  }

  // More tasks may come for it, which are then done with it.
  [[nodiscard]] Time lingers_until(NameId id) const {
    const auto use = room_.uses.find(id);
    const Time used_at = use == room_.uses.end() ? Time() : use->second.used_at;
    return std::max(used_at, model(id).used_at) + patience_;
  }

  void take(const ModelTurn& step) {
    turns_.steps.push_back(step);
    claim(step.gpu);
  }
  // One thing at a time goes on there, and what comes free is for who is served.
  void claim(NameId gpu) {
    room_.moving.insert(gpu);
    kept_.moving.insert(gpu);
  }

  // Until then those that nobody uses stay as well.
  void consider_residency() {
    for (const auto& [id, one] : room_.models.all) {
      if (!one.is_loaded() || wanted_.contains(id)) continue;
      consider(std::max(one.loaded_at + one.setting.residency, lingers_until(id)));
    }
  }

  void make_give_way(const Wanted& one) {
    std::optional<Giving> best;
    for (const GpuRoom& gpu : room_.gpus) {
      const auto& own = model(one.id).setting.gpu;
      if (!gpu.is_usable || (own && *own != gpu.gpu) || claimed_.contains(gpu.gpu)) continue;
      auto giving = giving_on(one, gpu.gpu);
      if (giving && (!best || comes_before(*giving, *best))) best = std::move(giving);
    }
    if (!best) return;
    if (best->possible_at) consider(*best->possible_at);
    const bool is_free = !has_one_on_its_way(room_, best->gpu);
    const NameId* idle = nullptr;
    for (const NameId& victim : best->victims) {
      turns_.closed.emplace(victim, one.id);
      if (idle == nullptr && uses_of(victim) == 0) idle = &victim;
    }
    if (is_free && idle != nullptr) turns_.steps.push_back({one.id, best->gpu, true, *idle});
    claim(best->gpu);
    claimed_.insert(best->gpu);
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
  [[nodiscard]] std::optional<Giving> giving_on(const Wanted& one, NameId gpu) const {
    Giving giving{.gpu = gpu, .victims = {}, .possible_at = {}, .loaded_at = {}};
    std::int64_t left = bytes_to_be_free(room_, gpu);
    const auto needs = static_cast<std::int64_t>(model(one.id).bytes());
    std::vector<NameId> there = giving_models(gpu, one.priority);
    for (const NameId id : there) {
      if (left >= needs) break;
      left += static_cast<std::int64_t>(model(id).bytes());
      giving.victims.push_back(id);
      giving.priority = std::max(giving.priority, model(id).setting.priority);
      giving.loaded_at = std::max(giving.loaded_at, model(id).loaded_at);
    }
    if (left < needs) return std::nullopt;
    drop_needless(giving.victims, left - needs);
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
  void drop_needless(std::vector<NameId>& victims, std::int64_t spare) const {
    for (std::size_t i = victims.size(); i-- > 0;) {
      const auto bytes = static_cast<std::int64_t>(model(victims[i]).bytes());
      if (bytes > spare) continue;
      spare -= bytes;
      victims.erase(victims.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  ModelRoom room_;
  ModelRoom kept_;
  std::map<NameId, ModelUse> lingering_;
  const Names& names_;
  const std::map<NameId, Time>& wanted_;
  const Duration patience_;
  ModelTurns turns_;
  std::set<NameId> claimed_;  // GPUs where others give way to one that is overdue
};

}  // namespace

std::map<NameId, Time> wanted_models(const State& state) {
  std::map<NameId, Time> wanted;
  if (state.models.all.empty()) return wanted;
  for (const auto& [lane, places] : state.tasks.ready.lanes()) {
    if (!lane.demands || !names_model(state, lane)) continue;
    const auto claims = claims_of(state, lane);
    if (is_held_back(state, lane, claims)) continue;
    for (const LaneClaim& claim : claims) {
      if (claim.on != ClaimOn::model) continue;
      const Model& model = *state.models.all.find(claim.limit);
      const Time since = waiting_since(state, lane, claim.limit, model);
      const auto [entry, is_new] = wanted.emplace(claim.limit, since);
      if (!is_new) entry->second = std::min(entry->second, since);
    }
  }
  return wanted;
}

ModelRoom room_of(const State& state, Time now) {
  ModelRoom room{
      .models = state.models, .gpus = rooms_of(state), .uses = {}, .moving = {}, .now = now};
  for (const auto& [id, model] : state.models.all) {
    room.uses[id].in_use = static_cast<std::uint32_t>(tasks_with(state, id));
  }
  return room;
}

ModelTurns model_turns(ModelRoom room, const Names& names, const std::map<NameId, Time>& wanted,
                       Duration patience) {
  return TurnPlanner(std::move(room), names, wanted, patience).run();
}

ModelTurns model_turns(const State& state, Time now, Duration patience) {
  const auto wanted = wanted_models(state);
  const bool is_missing = std::ranges::any_of(wanted, [&](const auto& one) {
    return state.models.all.find(one.first)->state == ModelState::absent;
  });
  if (!is_missing) return {};
  return model_turns(room_of(state, now), state.names, wanted, patience);
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

}  // namespace almanac
