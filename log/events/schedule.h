// The events of the schedule domain as C++ sees them: tasks that are enqueued again and again. An
// instant is a time at which a schedule fires by its recurrence, and with the schedule the identity
// of that firing.
#pragma once

#include <almanac/log/events/task.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <string_view>

namespace almanac {

// What becomes of instants that nobody was there for.
enum class MissedPolicy : std::uint8_t {
  skip,
  once,  // the newest of them fires
  all,   // those within a window fire
};
inline constexpr int missed_policy_count = 3;
[[nodiscard]] std::string_view name(MissedPolicy policy);

// And of those at which the task of the one before has not ended.
enum class OverlapPolicy : std::uint8_t {
  allow,
  skip,
  queue,    // it fires when that one has ended
  replace,  // that one is cancelled
};
inline constexpr int overlap_policy_count = 4;
[[nodiscard]] std::string_view name(OverlapPolicy policy);

// From now on, whether it is new or was another one.
struct ScheduleDefined {
  std::string_view schedule;
  std::string_view recurrence;  // "daily at 02:30 Europe/Paris"
  MissedPolicy missed = MissedPolicy::once;
  Duration window{0};  // of MissedPolicy::all
  OverlapPolicy overlap = OverlapPolicy::skip;
  Time next;          // the first instant
  TaskEnqueued task;  // what is enqueued, without a number
};

struct SchedulePaused {
  std::string_view schedule;
  std::string_view reason;
};

struct ScheduleResumed {
  std::string_view schedule;
  Time next;
};

struct ScheduleRemoved {
  std::string_view schedule;
};

// The next event of the same batch enqueues the task.
struct ScheduleFired {
  std::string_view schedule;
  Time instant;
  TaskId task;
  Time next;  // the instant behind all that were decided
};

// The instant fires when the task of the one before has ended.
struct ScheduleQueued {
  std::string_view schedule;
  Time instant;
  Time next;
};

enum class SkipReason : std::uint8_t {
  missed,      // nobody was there for them
  overlap,     // the task of the one before had not ended
  queue_full,  // as many were queued as may be
  replaced,    // queued, and a newer one came
  paused,
  removed,  // queued, and the schedule was removed
};
inline constexpr int skip_reason_count = 6;
[[nodiscard]] std::string_view name(SkipReason reason);

// Instants in a row that never fire.
struct ScheduleSkipped {
  std::string_view schedule;
  SkipReason reason = SkipReason::missed;
  std::uint64_t count = 0;
  Time first;
  Time last;
  Time next;
};

}  // namespace almanac
