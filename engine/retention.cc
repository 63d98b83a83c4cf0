#include <almanac/engine/retention.h>

#include <almanac/engine/limits.h>

#include <almanac/projections/dependencies.h>
#include <almanac/projections/group_ends.h>

#include <algorithm>
#include <optional>

namespace almanac {
namespace {

// What the queue says, or else the engine; none = for ever.
std::optional<Duration> choose(Duration queue, std::optional<Duration> engine) {
  if (queue == Duration(0)) return engine;
  return queue == retained_for_ever ? std::nullopt : std::optional(queue);
}

std::optional<Duration> kept_for(const Queues& queues, const TaskRetention& engine,
                                 const Task& task) {
  const QueueRetention queue =
      queues.retention.empty() ? QueueRetention() : retention_of(queues, task.queue);
  switch (task.state) {
    case TaskState::succeeded: return choose(queue.succeeded, engine.succeeded);
    case TaskState::failed: return choose(queue.failed, engine.failed);
    case TaskState::cancelled: return choose(queue.cancelled, engine.cancelled);
    default: return std::nullopt;
  }
}

// It is in the way of others for some time yet.
bool is_unique_yet(const State& state, TaskId id, const Task& task, Time now) {
  const Uniqueness* unique = state.tasks.unique.all.find(id);
  return unique != nullptr && now - task.enqueued_at < unique->within;
}

}  // namespace

bool forgets(const State& state, const TaskRetention& retention) {
  return retention.forgets() || !state.queues.retention.empty();
}

Forgetting decide_forgetting(const State& state, const DecideContext& context,
                             const TaskRetention& retention, TaskId before) {
  Forgetting found;
  // The same with what is found so far gone, so that what that depended on can go with it.
  Tasks left = state.tasks;
  std::vector<TaskId> ids;
  std::size_t looks = 0;
  auto entry = state.tasks.all.lower_bound(before);
  const auto first = state.tasks.all.begin();
  while (entry != first && looks++ < limits::forget_looks_per_turn &&
         ids.size() < limits::forgotten_per_turn) {
    const auto& [id, task] = *--entry;
    const auto kept = kept_for(state.queues, retention, task);
    if (!kept || context.now - task.ended_at < *kept || is_needed(left, id)) continue;
    if (is_group_to_blame(left, id)) continue;
    if (is_unique_yet(state, id, task, context.now)) continue;
    left.all.erase(id);
    ids.push_back(id);
  }
  if (entry != first) found.next = entry->key;
  if (ids.empty()) return found;
  auto forgotten = context.memory.array<TaskId>(ids.size());
  std::ranges::copy(ids, forgotten.begin());
  found.events.push_back({.at = context.now, .body = TasksForgotten{forgotten}});
  return found;
}

}  // namespace almanac
