// The tasks: what each is doing, and the orders in which they are asked for (ready, due, running,
// by tag). Payloads, results and outputs stay in the log; a task remembers where.
#pragma once

#include <almanac/log/event.h>
#include <almanac/projections/demand_sets.h>
#include <almanac/projections/groups.h>
#include <almanac/projections/lifecycle.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>
#include <almanac/projections/persistent/shared_text.h>
#include <almanac/projections/persistent/vector.h>
#include <almanac/projections/ranking.h>
#include <almanac/projections/ready_order.h>
#include <almanac/projections/task_keys.h>
#include <almanac/projections/uniqueness.h>

#include <array>
#include <compare>
#include <optional>

namespace almanac {

struct Task {
  TaskState state = TaskState::ready;
  AttemptStatus last_status = AttemptStatus::succeeded;  // of the last attempt that ended
  std::uint16_t attempts_max = 1;
  NameId kind;
  NameId queue;
  std::int32_t priority = 0;
  std::int32_t last_code = 0;     // exit code or signal of the last attempt that ended
  std::uint32_t attempts = 0;     // begun, those handed back included
  std::uint32_t failures = 0;     // attempts that ended badly
  std::uint32_t waiting_for = 0;  // tasks it depends on that have not succeeded
  Time enqueued_at;
  Time run_at;      // delayed until then
  Time started_at;  // the last attempt
  Time ended_at;    // the task
  Duration timeout{0};
  Backoff backoff;
  Lease lease;        // while it runs
  Position enqueued;  // the event that holds label, tags, dependencies and payload
  Position changed;   // the last event that changed it; of an ended task, the one with its output

  bool operator==(const Task&) const = default;
};

struct DueKey {
  Time at;
  TaskId id;
  auto operator<=>(const DueKey&) const = default;
};

struct RunningKey {
  NameId queue;
  TaskId id;
  auto operator<=>(const RunningKey&) const = default;
};

struct TagKey {
  NameId tag;
  TaskId id;
  auto operator<=>(const TagKey&) const = default;
};

struct DependencyKey {
  TaskId dependency;
  TaskId dependent;
  auto operator<=>(const DependencyKey&) const = default;
};

// Why a task is held, and what is known of it from elsewhere (TaskHeld).
struct Hold {
  HoldReason reason = HoldReason::restored;
  TaskOutcome outcome = TaskOutcome::unknown;
  Position started;
  Position ended;
  bool operator==(const Hold&) const = default;
};

// What most tasks do without, kept beside them so that those stay small (TaskEnqueued).
struct TaskTerms {
  std::optional<NameId> owner;  // none: nobody in particular
  Time deadline;                // not set = none
  Duration estimate{0};
  Time expires_at;  // not set = never
  RetryPolicy retry_policy = RetryPolicy::exponential_jitter;
  std::uint16_t crashes_max = 0;  // 0 = crashes_max_default
  std::uint32_t version = 0;      // 0 = whatever runs its kind runs it
  [[nodiscard]] bool has_retries() const {
    return retry_policy != RetryPolicy() || crashes_max != 0;
  }
  bool operator==(const TaskTerms&) const = default;
};

// A worker elsewhere that runs an attempt, and how long it may be silent (TaskStarted).
struct RemoteLease {
  SharedText worker;
  Duration time{0};
  bool operator==(const RemoteLease&) const = default;
};

// Where a task that runs has the memory that it asked for (gpu_memory.h).
struct GpuPlace {
  NameId gpu;
  std::uint32_t mebibytes = 0;
  bool operator==(const GpuPlace&) const = default;
};

struct LimitUse {
  NameId limit;
  TaskId id;
  auto operator<=>(const LimitUse&) const = default;
};

// What the first task of a lane waits for, as far as that is on record (LaneBlocked).
struct LaneWait {
  LaneBlock reason = LaneBlock::slots;
  std::optional<NameId> limit;
  Time next;  // not set = when something ends
  Time since;
  bool operator==(const LaneWait&) const = default;
};

// How far a task has come, as its attempts have told (TaskProgressed).
struct TaskProgress {
  std::uint16_t permille = 0;
  Time at;
  Position told;  // the event that holds the message and what there is of the result
  bool operator==(const TaskProgress&) const = default;
};

// A value; O(1) copy. Changed by fold() alone.
struct Tasks {
  PersistentVector<TaskId, Task> all;
  TaskId last;                                           // the highest number given so far
  std::array<std::uint64_t, task_state_count> counts{};  // of `all`, by state

  ReadyOrder ready;  // as the policies of the queues rank them
  Ranking ranking;
  PersistentSet<DueKey> due;
  PersistentSet<RunningKey> running;
  PersistentSet<TagKey> tagged;
  PersistentSet<DueKey> expiring;  // those that may still begin, by when they no longer may
  PersistentSet<DependencyKey> dependents;  // of tasks that have not ended, or may be re-driven
  PersistentMap<DependencyKey, DependencyCondition> conditions;  // of dependents, but for success
  PersistentSet<DependencyKey> needed_by;  // those that are kept as long as the dependent is
  PersistentMap<TaskId, TaskId> doomed;    // waiting for ever, and the task that is to blame
  PersistentMap<TaskId, Hold> held;        // those under review or paused
  PersistentMap<TaskId, TaskTerms> terms;  // of those that have some
  DemandSets demand_sets;
  PersistentMap<TaskId, DemandsId> demands;       // of those that ask for something
  PersistentMap<LimitUse, std::uint32_t> in_use;  // units of it, by those that run
  PersistentMap<Lane, LaneWait> blocked;          // lanes that have a task
  PersistentMap<TaskId, std::uint32_t> crashes;   // of those that have crashed
  PersistentMap<TaskId, TaskProgress> progress;   // of those that have told some, until they end
  PersistentMap<TaskId, NameId> run_by;           // of those that run by one of several
  PersistentMap<TaskId, RemoteLease> remote;      // of those that run at a worker elsewhere
  PersistentMap<TaskId, GpuPlace> on_gpu;         // of those that run with memory they asked for
  UniqueTasks unique;
  TaskKeys keys;
  Groups groups;

  [[nodiscard]] std::uint64_t count(TaskState state) const {
    return counts[static_cast<std::size_t>(state)];
  }
  // Tasks that have not ended.
  [[nodiscard]] std::uint64_t live() const;
  [[nodiscard]] DemandsId demands_of(TaskId id) const {
    const DemandsId* found = demands.empty() ? nullptr : demands.find(id);
    return found == nullptr ? DemandsId() : *found;
  }
  // Leases held by the engine itself, in its slots.
  [[nodiscard]] std::uint64_t running_here() const { return running.size() - remote.size(); }
  // Leases held in a queue. O(their number).
  [[nodiscard]] std::uint32_t running_in(NameId queue) const;
  // When the next delayed task is due.
  [[nodiscard]] std::optional<Time> next_due() const;
  // When the next task that has not begun expires.
  [[nodiscard]] std::optional<Time> next_expiry() const;

  void hash_into(StateHasher& hasher) const;
};

// Until when a task may still begin; not set = as long as it likes, or it has begun or may not.
[[nodiscard]] Time expiry(const Tasks& tasks, TaskId id, const Task& task);
// Whether somebody has paused the task itself.
[[nodiscard]] bool is_paused(const Tasks& tasks, TaskId id);
[[nodiscard]] Lane lane_of(const Tasks& tasks, TaskId id, const Task& task);
// The place of a ready task among the others.
[[nodiscard]] ReadyKey ready_key(const Tasks& tasks, TaskId id, const Task& task);
// The same in a queue of the default policy.
[[nodiscard]] ReadyKey key_by_priority(const Lane& lane, TaskId id, const Task& task);

// Where an event stands; what every fold of it may use beside the event.
struct EventPlace {
  Position position;
  Time at;
  std::string_view idempotency_key;
};

// Each changes `tasks` as the event says. An event that the lifecycle does not allow changes
// nothing and answers false; a log written by Almanac has none.
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskEnqueued& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskReadied& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskStarted& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskSucceeded& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskAttemptFailed& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskFailed& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskCancelRequested& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskCancelled& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskHandedBack& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskHeld& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskReleased& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskAccepted& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const LaneBlocked& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskSnoozed& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskFailedOver& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskProgressed& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskRedriven& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskRequestCarried& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskResultCarried& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const GroupOpened& event);
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const GroupClosed& event);
// O(tags + keys + dependents) for all of its tasks together.
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TasksForgotten& event);

}  // namespace almanac
