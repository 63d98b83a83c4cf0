#include <almanac/engine/retention.h>

#include <almanac/engine/limits.h>

#include <almanac/projections/dependencies.h>
#include <almanac/projections/group_ends.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

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

// How groups have gone is told by their members. One that did not succeed goes with all others that
// did not, or the group would be taken for a success once those were retried.
class GroupsToForget {
 public:
  using IsDue = std::function<bool(const Task&)>;
  GroupsToForget(const Tasks& tasks, IsDue is_due) : tasks_(tasks), is_due_(std::move(is_due)) {}

  [[nodiscard]] bool may_go(TaskId id, const Task& task) {
    const GroupId* group = tasks_.groups.group_of.find(id);
    if (group == nullptr || task.state == TaskState::succeeded) return true;
    const auto [known, is_new] = all_due_.try_emplace(*group, true);
    if (!is_new) return known->second;
    for (const TaskId member : tasks_.groups.members_of(*group)) {
      const Task& other = *tasks_.all.find(member);
      if (other.state != TaskState::succeeded && !is_due_(other)) known->second = false;
    }
    return known->second;
  }

 private:
  const Tasks& tasks_;
  const IsDue is_due_;
  std::map<GroupId, bool> all_due_;  // of those looked at
};

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
  const auto is_due = [&](const Task& task) {
    const auto kept = kept_for(state.queues, retention, task);
    return kept && context.now - task.ended_at >= *kept;
  };
  GroupsToForget groups(state.tasks, is_due);
  while (entry != first && looks++ < limits::forget_looks_per_turn &&
         ids.size() < limits::forgotten_per_turn) {
    const auto& [id, task] = *--entry;
    if (!is_due(task) || is_needed(left, id)) continue;
    if (is_group_to_blame(left, id) || !groups.may_go(id, task)) continue;
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
