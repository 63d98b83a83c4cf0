// A task that is a command, as it is typed: what `submit` and `schedule add` have in common.
#pragma once

#include <almanac/engine/task_spec.h>
#include <almanac/log/error.h>
#include <almanac/tools/command_line.h>

#include <cstdint>
#include <optional>
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
  std::string gpu_memory;          // a size; empty = none
  std::string gpu;                 // whose memory; empty = any
};

void add_command_task(OptionSet& options, CommandTask& task);

// What is asked of the memory of GPUs, as it is written; none where neither is. Errors: invalid.
[[nodiscard]] Result<std::optional<GpuMemorySpec>> read_gpu_memory(const std::string& size,
                                                                   const std::string& gpu);

// With the folder this process is in, and the command for a label. Errors: invalid.
[[nodiscard]] Result<TaskSpec> make_task(const CommandTask& task);

}  // namespace almanac
