#include <almanac/engine/engines.h>

#include <almanac/engine/backups.h>
#include <almanac/engine/command_spec.h>
#include <almanac/engine/components.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/tasks.h>

#include <algorithm>
#include <iterator>
#include <map>

namespace almanac {
namespace {

// As many as one recovery may begin at once need no pace.
bool is_paced(const State& state, NameId queue) {
  const auto limit = recovery_limit(state.names.text(queue));
  const LimitSetting pace = setting_of(state.limits, state.names, limit);
  return pace.per_minute > 0 && state.tasks.running_in(queue) > pace.burst;
}

}  // namespace

Result<Decision> decide_one(const State& state, const StartEngine& command,
                            const DecideContext& context) {
  if (command.slots == 0 || command.slots > limits::slots_max) {
    return fail(ErrorCode::invalid, "an engine takes 1 to " + std::to_string(limits::slots_max) +
                                        " slots, not " + std::to_string(command.slots));
  }
  if (command.command_versions.is_empty()) {
    return fail(ErrorCode::invalid,
                "there are no versions from " + std::to_string(command.command_versions.min) +
                    " to " + std::to_string(command.command_versions.max) + " of commands to run");
  }
  Decision decision;
  decision.events.push_back({.at = context.now,
                             .body = EngineStarted{.version = command.version,
                                                   .process_id = command.process_id,
                                                   .slots = command.slots,
                                                   .seed = command.seed}});
  if (command.command_versions != VersionRange()) {
    decision.events.push_back(
        {.at = context.now,
         .body = ImplementationsSet{command_kind, {}, command.command_versions}});
  }
  // Only one process writes a log, so every lease found here belongs to an engine that is gone, or
  // to a worker elsewhere, which may live (remote_attempts.h).
  std::map<NameId, bool> paced;
  for (const RunningKey& key : state.tasks.running) {
    if (state.tasks.remote.contains(key.id)) continue;
    const Task& task = *state.tasks.all.find(key.id);
    Event event{.at = context.now};
    if (task.state == TaskState::cancelling) {
      event.body = TaskCancelled{.id = key.id, .reason = "cancelled; the engine died meanwhile"};
    } else {
      auto [queue, is_new] = paced.try_emplace(key.queue);
      if (is_new) queue->second = is_paced(state, key.queue);
      event.body =
          crashed(state, key.id, HandBackReason::engine_died,
                  {.status = AttemptStatus::crashed, .message = "the engine died while it ran"},
                  context.memory);
      if (auto* back = std::get_if<TaskHandedBack>(&event.body)) back->paced = queue->second;
    }
    decision.events.push_back(event);
  }
  std::ranges::move(decide_schedules(state, command, context), std::back_inserter(decision.events));
  std::ranges::move(decide_components(state, command, context),
                    std::back_inserter(decision.events));
  return decision;
}

Result<Decision> decide_one(const State&, const StopEngine&, const DecideContext& context) {
  Decision decision;
  decision.events.push_back({.at = context.now, .body = EngineStopped{}});
  return decision;
}

}  // namespace almanac
