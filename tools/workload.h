// A workload: tasks and schedules that belong together, read from a file. TOML for people, JSON
// Lines for programs; docs/guides/workloads.md describes both.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/schedule_spec.h>
#include <almanac/engine/task_spec.h>
#include <almanac/log/error.h>
#include <almanac/log/types.h>
#include <almanac/projections/resource_limits.h>

#include <map>
#include <string>
#include <vector>

namespace almanac {

struct WorkloadTask {
  std::string name;
  int line = 0;   // of the file, where the task begins
  TaskSpec spec;  // a command; its key is "WORKLOAD/TASK", its label the task's name
};

// A value. Submitting all of it once more answers the tasks of the first time.
struct Workload {
  std::string name;
  // Every task stands behind those it depends on; apart from that they are in the file's order.
  // Dependencies are InBatch indexes of this vector.
  std::vector<WorkloadTask> tasks;
  std::vector<ConfigureQueue> queues;
  std::map<std::string, LimitSetting> limits;
  std::vector<ScheduleSpec> schedules;
};

// Reads and checks all of it, so that nothing needs to be written before it is known to be whole.
// The ending of the path chooses the format: .toml, or .jsonl, .ndjson and .json for JSON Lines;
// "-" is JSON Lines on standard input. `now` is what a task's delay counts from.
// 27,000 tasks take a tenth of a second.
// Errors: invalid (what the file says, as "FILE:LINE: …"; a folder; an unknown ending), not_found,
// refused (no permission to read it), io.
[[nodiscard]] Result<Workload> load_workload(const std::string& path, Time now);

}  // namespace almanac
