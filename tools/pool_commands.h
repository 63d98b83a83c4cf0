// The subcommands of `almanac pool`.
#pragma once

#include <almanac/tools/exit_code.h>

#include <filesystem>
#include <string>

namespace almanac {

struct PoolListCommand {
  std::filesystem::path folder;
  std::string at;  // position or time; empty = now
  bool json = false;
};
ExitCode pool_list(const PoolListCommand& command);

struct PoolShowCommand {
  std::filesystem::path folder;
  std::string pool;
  std::string at;
  bool json = false;
};
// Ends with not_found when nothing is known of the pool.
ExitCode pool_show(const PoolShowCommand& command);

}  // namespace almanac
