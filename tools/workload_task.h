// One task as a workload describes it. The table of its keys, in workload_task.cc, is the only
// place that says what a key means; both formats go through it.
#pragma once

#include <almanac/tools/workload_field.h>

#include <almanac/engine/command_spec.h>
#include <almanac/engine/task_spec.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::workload {

// A task begins as a copy of the defaults; what its own table says replaces that, and adds to the
// variables of `env` one by one.
struct TaskDraft {
  std::string name;
  int name_line = 0;  // 0 = it was given none
  std::vector<After> after;
  CommandSpec command;              // the working folder as it was written
  TaskSpec spec;                    // without payload and dependencies
  std::string model;                // one of the demands of it; empty = it names none
  std::optional<Duration> delay;    // at most one of this and spec.run_at is set
  std::optional<Duration> expires;  // and of this and spec.expires_at
};

// Of what the table is: a task, what holds for all of them, or the task of a schedule.
enum class Scope { task, defaults, schedule };

[[nodiscard]] std::span<const std::string_view> task_keys();
[[nodiscard]] Checked<void> read_task(TaskDraft& draft, const Value::Table& table, Scope scope);

}  // namespace almanac::workload
