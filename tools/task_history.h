// The events of one task, as they are in the log.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/tasks.h>

namespace almanac {

// From the one that enqueued it, or from the later position `from`, to the last one that changed
// it; until `visit` returns false. Of what lies between, only positions are looked at. Errors:
// those of Log::read, and what `visit` returns.
struct TaskHistoryOptions {
  const Log& log;
  TaskId id;
  const Task& task;
  Position from = {};
};
[[nodiscard]] Result<void> read_task_history(const TaskHistoryOptions& options,
                                             const EventVisit& visit);

}  // namespace almanac
