#include <almanac/engine/reasons.h>

#include <almanac/engine/limits.h>

#include <algorithm>
#include <string_view>

namespace almanac {
namespace {

Time ready_since(const State& state, const Lane& lane) {
  const TaskId first = state.tasks.ready.lanes().find(lane)->first()->id;
  const Task& task = *state.tasks.all.find(first);
  return std::max(task.enqueued_at, task.run_at);
}

bool is_on_record(const State& state, const BlockedLane& blocked) {
  const LaneWait* known = state.tasks.blocked.find(blocked.lane);
  return known != nullptr && known->reason == blocked.wait.reason &&
         known->limit == blocked.wait.limit;
}

Event event_of(const State& state, const DecideContext& context, const BlockedLane& blocked) {
  const auto set = state.tasks.demand_sets.of(blocked.lane.demands);
  const auto demands = context.memory.array<Demand>(set.size());
  std::ranges::transform(set, demands.begin(), [&](const LimitDemand& demand) {
    return Demand{context.memory.text(state.names.text(demand.limit)), demand.units};
  });
  const auto name = [&](NameId id) { return context.memory.text(state.names.text(id)); };
  const LaneWait& wait = blocked.wait;
  return {.at = context.now,
          .body = LaneBlocked{.queue = name(blocked.lane.queue),
                              .kind = name(blocked.lane.kind),
                              .demands = DemandListView(demands),
                              .reason = wait.reason,
                              .limit = wait.limit ? name(*wait.limit) : std::string_view(),
                              .next = wait.next,
                              .version = blocked.lane.version}};
}

}  // namespace

Reasons decide_reasons(const State& state, const DecideContext& context, const CanRun& can_run,
                       const StartOptions& options) {
  Reasons reasons;
  for (const BlockedLane& blocked : blocked_lanes(state, context.now, can_run, options)) {
    if (is_on_record(state, blocked)) continue;
    const bool is_young = ready_since(state, blocked.lane) + limits::reasons_interval > context.now;
    if (is_young || reasons.events.size() == limits::reasons_per_turn) {
      reasons.is_complete = false;
    } else {
      reasons.events.push_back(event_of(state, context, blocked));
    }
  }
  return reasons;
}

}  // namespace almanac
