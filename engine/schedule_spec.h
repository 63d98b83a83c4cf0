// What a schedule is asked to be: a task, and when it is enqueued again and again.
#pragma once

#include <almanac/engine/recurrence.h>
#include <almanac/engine/task_spec.h>
#include <almanac/log/events/schedule.h>

#include <string>

namespace almanac {

// A value; owns everything. An instant is a time at which the schedule fires by its recurrence:
// each is decided once, whatever clocks and engines do, and is on record as fired or skipped.
struct ScheduleSpec {
  std::string name;  // one of its kind
  Recurrence recurrence;
  TaskSpec task;  // of each firing; without times, dependencies, key and uniqueness
  // Of instants that passed while no engine ran, or while it was held up, by over a minute or until
  // the next one.
  MissedPolicy missed = MissedPolicy::once;
  Duration window{0};  // of MissedPolicy::all: how far back it goes
  // Of an instant at which the task of the last firing has not ended.
  OverlapPolicy overlap = OverlapPolicy::skip;
};

}  // namespace almanac
