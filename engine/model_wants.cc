#include <almanac/engine/model_wants.h>

#include <almanac/projections/lane_claims.h>

#include <algorithm>
#include <functional>
#include <optional>

namespace almanac {
namespace {

// Of more, whether they fit is tried in one order alone.
constexpr std::size_t models_tried_max = 6;

// From when its first task could have begun, whatever came to the front of the lane meanwhile.
Time first_waits_since(const State& state, const Lane& lane, LaneBlock block, NameId limit) {
  const TaskId first = state.tasks.ready.lanes().find(lane)->first()->id;
  const Task& task = *state.tasks.all.find(first);
  const Time since = std::max(task.enqueued_at, task.run_at);
  const LaneWait* known = state.tasks.blocked.find(lane);
  const bool is_known = known != nullptr && known->reason == block && known->limit == limit;
  return is_known ? std::min(since, known->since) : since;
}

// One that has given way waits anew: it has had its turn.
Time waits_for_model_since(const State& state, const Lane& lane, NameId id, const Model& model) {
  const Time since = first_waits_since(state, lane, LaneBlock::model, id);
  return model.state == ModelState::absent ? std::max(since, model.changed_at) : since;
}

// The same of memory: those that run with as much have had theirs.
Time waits_for_memory_since(const State& state, const Lane& lane, const MemoryWish& wish) {
  Time since = first_waits_since(state, lane, LaneBlock::gpu_memory, wish.demand);
  for (auto entry = state.tasks.in_use.lower_bound({wish.demand, TaskId()});
       entry != state.tasks.in_use.end() && (*entry).key.limit == wish.demand; ++entry) {
    if ((*entry).value != wish.mebibytes) continue;
    since = std::max(since, state.tasks.all.find((*entry).key.id)->started_at);
  }
  return since;
}

// Whether something else than a GPU, of which there may always be more, keeps its tasks from ever
// beginning, as things are.
bool is_held_back(const State& state, const Lane& lane, const std::vector<LaneClaim>& claims) {
  if (state.pauses.hold_back(lane)) return true;
  const LaneWait* known = state.tasks.blocked.find(lane);
  if (known != nullptr && known->reason == LaneBlock::handler) return true;
  if (!state.implementations.versions_of(lane.kind).takes(lane.version)) return true;
  if (state.implementations.hold_back(lane.kind)) return true;
  return std::ranges::any_of(claims, [&](const LaneClaim& one) {
    const ClaimRoom room = room_for(state, one, state.time);
    return one.amount > room.most || (one.on == ClaimOn::circuit && room.free == 0);
  });
}

// Whether all from one on find a place, the largest first.
bool find_places(const std::vector<const Model*>& models, std::size_t next, bool tries_all,
                 std::map<NameId, std::uint64_t>& left) {
  if (next == models.size()) return true;
  const Model& model = *models[next];
  for (auto& [gpu, bytes] : left) {
    if ((model.setting.gpu && *model.setting.gpu != gpu) || bytes < model.bytes()) continue;
    bytes -= model.bytes();
    if (find_places(models, next + 1, tries_all, left)) return true;
    bytes += model.bytes();
    if (!tries_all) return false;
  }
  return false;
}

template <class Claimed>
void for_each_wanting(const State& state, ClaimOn on, Claimed claimed) {
  for (const auto& [lane, places] : state.tasks.ready.lanes()) {
    if (!lane.demands) continue;
    const auto claims = claims_of(state, lane);
    const auto is_one = [on](const LaneClaim& claim) { return claim.on == on; };
    if (std::ranges::none_of(claims, is_one) || is_held_back(state, lane, claims)) continue;
    const auto models = models_of(state, lane);
    if (models.size() > 1 && !fit_together(state, models)) continue;
    for (const LaneClaim& claim : claims) {
      if (is_one(claim)) claimed(lane, claim);
    }
  }
}

}  // namespace

std::vector<NameId> models_of(const State& state, const Lane& lane) {
  std::vector<NameId> models;
  for (const LimitDemand& demand : state.tasks.demand_sets.of(lane.demands)) {
    if (state.models.all.contains(demand.limit)) models.push_back(demand.limit);
  }
  return models;
}

bool fit_together(const State& state, const std::vector<NameId>& named) {
  std::map<NameId, std::uint64_t> left;
  for (const auto& [id, device] : state.gpu.devices) {
    if (memory_of(state, id) > 0) left.emplace(id, memory_of(state, id));
  }
  if (left.empty()) return true;
  std::vector<const Model*> models;
  for (const NameId id : named) {
    if (const Model* model = state.models.all.find(id)) models.push_back(model);
  }
  std::ranges::stable_sort(models, std::greater(), &Model::bytes);
  return find_places(models, 0, models.size() <= models_tried_max, left);
}

std::map<NameId, Time> wanted_models(const State& state) {
  std::map<NameId, Time> wanted;
  if (state.models.all.empty()) return wanted;
  for_each_wanting(state, ClaimOn::model, [&](const Lane& lane, const LaneClaim& claim) {
    const Model& model = *state.models.all.find(claim.limit);
    const Time since = waits_for_model_since(state, lane, claim.limit, model);
    const auto [entry, is_new] = wanted.emplace(claim.limit, since);
    if (!is_new) entry->second = std::min(entry->second, since);
  });
  return wanted;
}

std::map<MemoryWish, Time> wanted_memory(const State& state) {
  std::map<MemoryWish, Time> wanted;
  if (state.gpu.devices.empty() || state.tasks.running_here() >= state.engine.slots) return wanted;
  for_each_wanting(state, ClaimOn::gpu_memory, [&](const Lane& lane, const LaneClaim& claim) {
    const MemoryWish wish{claim.limit, claim.amount};
    const bool is_vain = never_fits(state, claim.limit, claim.amount);
    if (is_vain || !gpu_asked(state, wish.demand).is_known) return;
    const Time since = waits_for_memory_since(state, lane, wish);
    const auto [entry, is_new] = wanted.emplace(wish, since);
    if (!is_new) entry->second = std::min(entry->second, since);
  });
  return wanted;
}

ModelRoom room_of(const State& state, Time now) {
  ModelRoom room{
      .models = state.models, .gpus = rooms_of(state), .uses = {}, .moving = {}, .now = now};
  for (const auto& [id, model] : state.models.all) {
    room.uses[id].in_use = static_cast<std::uint32_t>(tasks_with(state, id));
  }
  if (!state.tasks.on_gpu.empty()) room.held = held_memory(state, now);
  return room;
}

}  // namespace almanac
