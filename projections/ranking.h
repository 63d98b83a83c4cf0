// What the ready order needs of queues that have another policy than the default: their settings,
// when time changes a rank next, and the tags of fair queues. Empty when no queue has one, and
// changed by the folds of tasks alone.
#pragma once

#include <almanac/log/events/task.h>
#include <almanac/log/types.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>
#include <almanac/projections/policy.h>
#include <almanac/projections/ready_order.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

namespace almanac {

struct Tasks;
struct EventPlace;

// Time changes the rank of a ready task.
struct RankChange {
  Time at;
  TaskId id;
  auto operator<=>(const RankChange&) const = default;
};

// The tasks of one owner in a fair queue.
struct FlowKey {
  NameId queue;
  std::optional<NameId> owner;  // none: of nobody in particular
  auto operator<=>(const FlowKey&) const = default;
};

// Start-time fair queuing: a task's start tag is the later of the queue's virtual time and the
// finish tag of the task of its owner in front of it, its finish tag lies its cost behind that, and
// the smallest start tag runs first. The virtual time is the start tag of what was started last.
// Source: P. Goyal, H. Vin, H. Cheng, Start-Time Fair Queuing, SIGCOMM 1996. Beyond it, an owner
// none of whose tasks is ready has used up no more than what was started.
struct Flow {
  std::int64_t finish = 0;   // tag of its last task
  std::int64_t started = 0;  // tag of the last one that was started
  std::uint64_t ready = 0;   // tasks of it that have a tag
  bool operator==(const Flow&) const = default;
};

// A value; O(1) copy.
struct Ranking {
  PersistentMap<NameId, Policy> policies;    // of queues that have another than the default
  RankChange done;                           // up to this one, changes have been made
  PersistentSet<RankChange> changes;         // the next one of each ready task that has one
  PersistentMap<TaskId, std::int64_t> tags;  // of the ready tasks of fair queues: the start tag
  PersistentMap<FlowKey, Flow> flows;        // those that are ahead of the virtual time
  PersistentMap<NameId, std::int64_t> virtual_times;  // of fair queues that have started a task

  [[nodiscard]] bool empty() const { return policies.empty() && done == RankChange(); }
  // The policy of a queue. Lives until the policies are changed.
  [[nodiscard]] const Policy& policy(NameId queue) const;
  // The time that the rank of a task stands for.
  [[nodiscard]] Time ranked_at(TaskId id) const {
    return id <= done.id ? done.at : done.at - Duration(1);
  }
  // When the next rank changes.
  [[nodiscard]] std::optional<Time> next_change() const;

  void hash_into(StateHasher& hasher) const;
};

// The ready tasks of a queue, in the order in which they were submitted.
[[nodiscard]] std::vector<TaskId> ready_in(const Tasks& tasks, NameId queue);
// The terms of a task; those of a task without any are all unset. Live until the terms change.
[[nodiscard]] const TaskTerms& terms_of(const Tasks& tasks, TaskId id);

// The rank of a ready task as it stands in the order. O(log n).
[[nodiscard]] Rank current_rank(const Tasks& tasks, TaskId id, const Task& task);

// Puts a task into the ready order, or takes it out, with all that hangs on it. O(log n).
void enter_ready(Tasks& tasks, TaskId id, const Task& task);
enum class Leaving : std::uint8_t { started, otherwise };
void leave_ready(Tasks& tasks, TaskId id, const Task& task, Leaving leaving);

// Ranks the queue's ready tasks anew when its policy has changed: O(n log n) of them.
void set_policy(Tasks& tasks, Names& names, const QueueConfigured& event);
// False, and nothing, unless it leads on. O(moved * log n).
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TasksReranked& event);

}  // namespace almanac
