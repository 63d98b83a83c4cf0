// The events of the task domain as C++ sees them: numbers, times and borrowed views. While
// deciding the views point at the command's memory, while replaying they point into the map; who
// hands out an event says how long it lives.
#pragma once

#include <almanac/log/events/lists.h>
#include <almanac/log/task_identity.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace almanac {

// So much of a limit, for as long as an attempt runs.
struct Demand {
  std::string_view limit;
  std::uint32_t units = 1;
};
using DemandListView = NumberedNamesView<Demand, std::uint32_t>;

// How a task that another depends on must have ended.
enum class DependencyCondition : std::uint8_t {
  success,             // or the dependent is cancelled
  success_in_the_end,  // the dependent waits on when it failed: it may be run again
  end,                 // however
  failure,             // or the dependent is cancelled
};
inline constexpr int dependency_condition_count = 4;
[[nodiscard]] std::string_view name(DependencyCondition condition);

// The wait before attempt n + 1: min(max, initial * 2^(n - 1)), or always min(max, initial). With
// jitter it is drawn between half and all of that.
enum class RetryPolicy : std::uint8_t { exponential_jitter, exponential, fixed, fixed_jitter };
inline constexpr int retry_policy_count = 4;
[[nodiscard]] std::string_view name(RetryPolicy policy);

struct Backoff {
  Duration initial = std::chrono::seconds(1);
  Duration max = std::chrono::minutes(10);
  bool operator==(const Backoff&) const = default;
};

// Crashes of a task that says nothing of them.
inline constexpr std::uint16_t crashes_max_default = 3;

// How far a task must have come to be in the way of no other one of its identity.
enum class UniqueUntil : std::uint8_t {
  ended,
  started,    // one that waits for another attempt is in the way again
  succeeded,  // or it was cancelled: one that has failed may be retried
  enqueued,   // it is in the way for a time alone
};
inline constexpr int unique_until_count = 4;
[[nodiscard]] std::string_view name(UniqueUntil until);

// Of a task that is in the way of others, as far and as long as that says.
struct Uniqueness {
  TaskIdentity identity;  // none = it is in the way of nothing
  UniqueUntil until = UniqueUntil::ended;
  Duration within{0};  // also so long after it was enqueued, whatever has become of it
  explicit operator bool() const { return static_cast<bool>(identity); }
  bool operator==(const Uniqueness&) const = default;
};

struct TaskEnqueued {
  TaskId id;
  std::string_view kind;
  std::string_view queue;
  std::string_view label;
  std::int32_t priority = 0;  // larger runs first
  Time run_at;                // not before this time; not set = at once
  Duration timeout{0};        // of one attempt; 0 = none
  Backoff backoff;
  std::uint16_t attempts_max = 1;
  std::uint64_t content_hash = 0;  // what an idempotency key stands for
  NameListView tags;
  std::span<const TaskId> dependencies;
  std::span<const DependencyCondition> conditions;  // one each, or none; not acted upon yet
  std::string_view owner;                           // for whom it runs
  Time deadline;                                    // when it should have ended; not set = whenever
  Duration estimate{0};                             // how long an attempt may take; 0 = not known
  Time expires_at;  // the end of its wait; not set = none; not acted upon yet
  DemandListView demands;
  RetryPolicy retry_policy = RetryPolicy::exponential_jitter;
  std::uint16_t crashes_max = 0;    // with the last of them it fails; 0 = crashes_max_default
  bool keeps_dependencies = false;  // they are not forgotten before it is
  Uniqueness unique = {};
  std::uint32_t version = 0;  // of its kind; 0 = whatever runs the kind runs it
  GroupId group;              // it belongs to; none = to none
  GroupId after_group;        // it waits for; none = for none
  DependencyCondition after_group_condition = DependencyCondition::success;
  Bytes payload;
};

// The time a task was waiting for has come.
struct TaskReadied {
  TaskId id;
};

// Begins an attempt. The position of this event is the attempt's lease.
struct TaskStarted {
  TaskId id;
  std::uint32_t attempt = 0;             // 1, 2, 3 …
  Time deadline;                         // not set = none
  std::string_view implementation = {};  // of several; empty = its kind has one handler
  std::string_view worker = {};          // elsewhere, by its name; empty = the engine itself
  Duration lease_time{0};                // of silence of the worker, until it is handed back
  std::string_view advisor = {};         // on whose advice it began now; empty = nobody's
  std::string_view gpu = {};  // that has the memory it asks for; empty = it asks for none
};

enum class AttemptStatus : std::uint8_t {
  succeeded,
  error,        // the handler reported a failure
  exited,       // a command ended with a code other than 0
  signaled,     // a command was ended by a signal
  timed_out,    // it did not end before its deadline
  not_started,  // a command could not be started
  crashed,      // the engine, or its worker, died with it
};
inline constexpr int attempt_status_count = 7;
[[nodiscard]] std::string_view name(AttemptStatus status);

struct AttemptEnd {
  AttemptStatus status = AttemptStatus::succeeded;
  std::int32_t code = 0;             // exit code or signal number
  std::uint64_t output_dropped = 0;  // bytes beyond the cap
  std::string_view message;
  Bytes result;
  Bytes output;
  bool permanent = false;  // another attempt would fail as well
};

struct TaskSucceeded {
  TaskId id;
  Lease lease;
  AttemptEnd end;
};

// The attempt failed and the task will be tried again.
struct TaskAttemptFailed {
  TaskId id;
  Lease lease;
  Time retry_at;
  AttemptEnd end;
};

// The last attempt failed.
struct TaskFailed {
  TaskId id;
  Lease lease;
  AttemptEnd end;
  std::uint32_t crashes = 0;  // the task's, when it failed because of them; else 0
};

// A running task is to be stopped.
struct TaskCancelRequested {
  TaskId id;
  std::string_view reason;
};

struct TaskCancelled {
  TaskId id;
  Lease lease;        // none when it was not running
  TaskId dependency;  // the task whose end made this one pointless; none when it was asked for
  std::string_view reason;
  AttemptEnd end;  // when it was running
};

enum class HandBackReason : std::uint8_t {
  stopping,     // the engine, or its worker, stopped before the attempt ended
  engine_died,  // the engine that held the lease is gone
  forked,       // it goes on in the log this one branched off from
  crashed,      // its process was ended by a signal that was not ours
  silent,       // its worker gave no sign of life for the time of the lease
};
inline constexpr int hand_back_reason_count = 5;
[[nodiscard]] std::string_view name(HandBackReason reason);

// The lease is given up and the attempt does not count.
struct TaskHandedBack {
  TaskId id;
  Lease lease;
  HandBackReason reason = HandBackReason::stopping;
  bool paced = false;         // one of many: begun again at the pace of a recovery
  std::uint32_t crashes = 0;  // the task's so far, when this is one; else 0
  AttemptEnd end;             // of a crash
};

enum class HoldReason : std::uint8_t {
  restored,  // it went on in the log this one was restored from
  paused,    // somebody asked for it
};
inline constexpr int hold_reason_count = 2;
[[nodiscard]] std::string_view name(HoldReason reason);

// How a task ended elsewhere, as far as that is known.
enum class TaskOutcome : std::uint8_t { unknown, succeeded, failed, cancelled };
inline constexpr int task_outcome_count = 4;
[[nodiscard]] std::string_view name(TaskOutcome outcome);

// The task is under review or paused: it does not run until somebody has decided.
struct TaskHeld {
  TaskId id;
  Lease lease;  // none when it was not running
  HoldReason reason = HoldReason::restored;
  TaskOutcome outcome = TaskOutcome::unknown;
  Position started;  // in the other log, its last start; none when none is known
  Position ended;    // and its end
};

// The task runs as if it had not been held.
struct TaskReleased {
  TaskId id;
};

// The task counts as succeeded without running again.
struct TaskAccepted {
  TaskId id;
};

// Ready tasks whose rank has changed with time take their new places: all whose moment came before
// `through`, and of those whose moment it is the ones up to `last`.
struct TasksReranked {
  Time through;
  TaskId last;  // none = all of them
};

// The attempt asked to be made again later, and does not count.
struct TaskSnoozed {
  TaskId id;
  Lease lease;
  Time until;
};

// What the attempt was run by has failed, and the next implementation of its kind goes on. The
// position of this event is the attempt's lease from now on.
struct TaskFailedOver {
  TaskId id;
  Lease lease;    // until now
  Time deadline;  // not set = none
  std::string_view from;
  std::string_view to;
  AttemptEnd end;
};

// How far the attempt is that runs.
struct TaskProgressed {
  TaskId id;
  Lease lease;
  std::uint16_t permille = 0;
  std::string_view message;
  Bytes partial;  // of the result
};

// A failed task runs again: its failures and crashes are forgiven.
struct TaskRedriven {
  TaskId id;
  std::string_view reason;
};

// What a task that may still run, a failed one too, is asked to be, written again: what lies in
// front of this event is no longer needed for it, and may be trimmed.
struct TaskRequestCarried {
  TaskEnqueued request;
};

// What an ended task has come to, written again: for those that depend on it, and of a failed one
// for whoever looks into it.
struct TaskResultCarried {
  TaskId id;
  AttemptEnd end;
};

// Tasks that ended long ago: they are no longer part of the state.
struct TasksForgotten {
  std::span<const TaskId> ids;  // falling: none before those that depend on it
};

}  // namespace almanac
