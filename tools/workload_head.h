// What a workload says about itself, in front of its tasks.
#pragma once

#include <almanac/tools/workload_queue.h>
#include <almanac/tools/workload_schedule.h>
#include <almanac/tools/workload_task.h>

#include <almanac/projections/resource_limits.h>

#include <map>
#include <string>
#include <vector>

namespace almanac::workload {

struct Head {
  std::string name;  // empty = it was given none
  TaskDraft defaults;
  std::vector<ConfigureQueue> queues;
  std::map<std::string, LimitSetting> limits;
  std::vector<ScheduleDraft> schedules;
};

[[nodiscard]] Checked<Head> read_head(const Value::Table& table);

// Whether a text may name a workload: as a queue's name, and without '/', which parts it from the
// task's name in keys.
[[nodiscard]] Checked<void> check_workload_name(const std::string& name, int line);

}  // namespace almanac::workload
