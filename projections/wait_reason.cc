#include <almanac/projections/wait_reason.h>

#include <almanac/projections/dependencies.h>
#include <almanac/projections/gpu_memory.h>
#include <almanac/projections/lane_claims.h>

#include <algorithm>

namespace almanac {
namespace {

Wait wait_on(ClaimOn on) {
  switch (on) {
    case ClaimOn::circuit: return Wait::circuit;
    case ClaimOn::model: return Wait::model;
    case ClaimOn::gpu_memory: return Wait::gpu_memory;
    case ClaimOn::tokens: return Wait::tokens;
    case ClaimOn::queue_slots: return Wait::queue_limit;
    case ClaimOn::units: break;
  }
  return Wait::limit;
}

// What there is too little of for a task of the lane, if nobody were in front of it.
std::optional<WaitReason> shortage(const State& state, const Lane& lane, Time now) {
  std::optional<WaitReason> first;
  for (const LaneClaim& claim : claims_of(state, lane)) {
    const auto [most, free] = room_for(state, claim, now);
    if (claim.amount <= free) continue;
    WaitReason reason{.wait = wait_on(claim.on),
                      .limit = claim.limit,
                      .asked = claim.amount,
                      .used = claim.on == ClaimOn::tokens ? free : most - free,
                      .most = most};
    if (claim.on == ClaimOn::model) {
      if (!first) first = WaitReason{.wait = Wait::model, .limit = claim.limit};
      continue;
    }
    if (claim.on == ClaimOn::gpu_memory) {
      if (never_fits(state, claim.limit, claim.amount)) {
        reason.wait = Wait::too_large;
        return reason;
      }
      if (!first) {
        first = WaitReason{
            .wait = Wait::gpu_memory, .limit = claim.limit, .asked = claim.amount, .used = free};
      }
      continue;
    }
    if (claim.on == ClaimOn::circuit) {
      const Circuit circuit = circuit_of(state.circuits, claim.limit);
      reason.used = circuit.probes;
      reason.most = circuit.probes;
      reason.next = circuit.until;
    } else if (claim.on == ClaimOn::queue_slots) {
      reason.used = state.tasks.running_in(claim.limit);
    } else if (claim.on == ClaimOn::units) {
      reason.used = units_in_use(state, claim.limit);
    }
    if (claim.amount > most) {
      reason.wait = Wait::too_large;
      return reason;
    }
    if (claim.on == ClaimOn::tokens) {
      const auto rate = setting_of(state.limits, state.names, claim.limit);
      reason.next = tokens_due(state.limits, claim.limit, rate, claim.amount);
    }
    if (!first) first = reason;
  }
  return first;
}

// Nothing in the engine takes it: workers elsewhere may be at it, each with another task.
WaitReason reason_without_handler(const Tasks& tasks, const Task& task) {
  std::uint64_t busy = 0;
  for (auto entry = tasks.running.lower_bound({task.queue, TaskId()});
       entry != tasks.running.end() && (*entry).queue == task.queue; ++entry) {
    const TaskId id = (*entry).id;
    if (tasks.remote.contains(id) && tasks.all.find(id)->kind == task.kind) ++busy;
  }
  if (busy == 0) return {.wait = Wait::handler};
  return {.wait = Wait::worker, .used = busy};
}

std::uint64_t units_asked(const State& state, const Lane& lane, NameId limit) {
  for (const LimitDemand& demand : state.tasks.demand_sets.of(lane.demands)) {
    if (demand.limit == limit) return demand.units;
  }
  return 0;
}

// A ladder: what would have to change first stands first.
WaitReason ready_reason(const State& state, TaskId id, const Task& task, Time now) {
  const Tasks& tasks = state.tasks;
  if (state.pauses.hold_back({task.queue, task.kind, {}})) return {.wait = Wait::paused};
  if (!state.engine.running) return {.wait = Wait::engine};
  const ReadyKey own = ready_key(tasks, id, task);
  const LaneWait* known = tasks.blocked.find(own.lane);
  if (known != nullptr && known->reason == LaneBlock::handler) {
    return reason_without_handler(tasks, task);
  }
  const std::uint32_t version = own.lane.version;
  if (!state.implementations.versions_of(task.kind).takes(version)) {
    return {.wait = Wait::version, .asked = version};
  }
  if (state.implementations.hold_back(task.kind)) return {.wait = Wait::unavailable};
  if (const auto advisor = held_back_by(state.advisors)) {
    return {.wait = Wait::advice, .limit = advisor};
  }
  const bool is_for_model = known != nullptr && known->reason == LaneBlock::model;
  const bool is_for_memory = known != nullptr && known->reason == LaneBlock::gpu_memory;
  if (auto reason = shortage(state, own.lane, now)) {
    if (reason->wait == Wait::model && is_for_model) reason->next = known->next;
    if (reason->wait == Wait::gpu_memory && is_for_memory) reason->next = known->next;
    return *reason;
  }
  const std::uint64_t slots = state.engine.slots;
  if (slots > 0 && tasks.running_here() >= slots) {
    return {.wait = Wait::slots, .used = tasks.running_here(), .most = slots};
  }
  // It is there, and gives way to another one.
  if (is_for_model) return {.wait = Wait::model, .limit = known->limit, .next = known->next};
  if (is_for_memory) {
    const std::uint64_t asked = units_asked(state, own.lane, *known->limit);
    return {.wait = Wait::gpu_memory, .limit = known->limit, .asked = asked, .next = known->next};
  }
  if (known != nullptr && known->reason == LaneBlock::behind) {
    return {.wait = Wait::turn, .limit = known->limit};
  }
  const TaskId first = tasks.ready.lanes().find(own.lane)->first()->id;
  if (first != id) return {.wait = Wait::behind, .other = first};
  return {.wait = Wait::next};
}

WaitReason dependency_reason(const State& state, TaskId id, const Task& task) {
  if (const TaskId* culprit = state.tasks.doomed.find(id)) {
    return {.wait = Wait::doomed, .other = *culprit};
  }
  if (const auto failed = to_be_retried(state.tasks, id); !failed.empty()) {
    return {.wait = Wait::retry, .used = failed.size(), .other = failed.front()};
  }
  const std::uint32_t groups = state.tasks.groups.waits.contains(id) ? 1 : 0;
  if (task.waiting_for == groups) return {.wait = Wait::group};
  return {.wait = Wait::dependency, .used = task.waiting_for - groups};
}

}  // namespace

std::string_view name(Wait wait) {
  switch (wait) {
    case Wait::dependency: return "dependency";
    case Wait::doomed: return "doomed";
    case Wait::delay: return "delay";
    case Wait::engine: return "engine";
    case Wait::handler: return "handler";
    case Wait::too_large: return "too_large";
    case Wait::tokens: return "tokens";
    case Wait::queue_limit: return "queue_limit";
    case Wait::limit: return "limit";
    case Wait::slots: return "slots";
    case Wait::turn: return "turn";
    case Wait::behind: return "behind";
    case Wait::next: return "next";
    case Wait::review: return "review";
    case Wait::paused: return "paused";
    case Wait::retry: return "retry";
    case Wait::unavailable: return "unavailable";
    case Wait::circuit: return "circuit";
    case Wait::version: return "version";
    case Wait::group: return "group";
    case Wait::advice: return "advice";
    case Wait::model: return "model";
    case Wait::worker: return "worker";
    case Wait::gpu_memory: return "gpu_memory";
  }
  return "";
}

std::optional<WaitReason> wait_reason(const State& state, TaskId id, Time now) {
  const Task* task = state.tasks.all.find(id);
  if (task == nullptr) return std::nullopt;
  switch (task->state) {
    case TaskState::waiting: return dependency_reason(state, id, *task);
    case TaskState::delayed: return WaitReason{.wait = Wait::delay, .next = task->run_at};
    case TaskState::ready: return ready_reason(state, id, *task, now);
    case TaskState::held:
      return WaitReason{.wait = is_paused(state.tasks, id) ? Wait::paused : Wait::review};
    default: return std::nullopt;
  }
}

}  // namespace almanac
