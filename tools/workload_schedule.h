// A schedule as a workload describes it: when, and the keys of a task.
#pragma once

#include <almanac/tools/workload_task.h>

#include <almanac/engine/recurrence.h>
#include <almanac/log/events/schedule.h>

#include <optional>
#include <string>

namespace almanac::workload {

struct ScheduleDraft {
  std::string name;
  int line = 0;
  std::optional<Recurrence> recurrence;  // read_schedule() sees to it that there is one
  TaskDraft task;
  MissedPolicy missed = MissedPolicy::once;
  Duration window{0};
  OverlapPolicy overlap = OverlapPolicy::skip;
};

// Its task begins as a copy of the defaults, but for what no scheduled task can have.
[[nodiscard]] Checked<ScheduleDraft> read_schedule(const Member& schedule,
                                                   const TaskDraft& defaults);

}  // namespace almanac::workload
