// A task that is a command, as it is typed: what `submit` and `schedule add` have in common.
#pragma once

#include <almanac/engine/task_spec.h>
#include <almanac/log/error.h>
#include <almanac/tools/command_line.h>

#include <cstdint>
#include <string>
#include <vector>

namespace almanac {

struct CommandTask {
  std::vector<std::string> arguments;  // the command
  std::string queue = "default";
  std::int32_t priority = 0;
  std::uint64_t attempts = 1;
  std::string retry;  // a RetryPolicy; empty = the default
  std::uint64_t crashes = crashes_max_default;
  std::string timeout;
  std::uint64_t version = 0;  // 0 = none
  std::string owner;
  std::string estimate;
  std::vector<std::string> tags;
  std::vector<std::string> needs;  // LIMIT=UNITS
  std::string model;               // empty = none
};

void add_command_task(OptionSet& options, CommandTask& task);

// With the folder this process is in, and the command for a label. Errors: invalid.
[[nodiscard]] Result<TaskSpec> make_task(const CommandTask& task);

}  // namespace almanac
