// The subcommands of `almanac queue`.
#pragma once

#include <almanac/tools/exit_code.h>

#include <filesystem>
#include <string>
#include <vector>

namespace almanac {

// What is left empty stays as it is.
struct QueueSetCommand {
  std::filesystem::path folder;
  std::string queue;
  std::string slots;
  std::string policy;
  std::string ageing;
  std::string window;
  std::string short_work;
  std::vector<std::string> weights;  // "NAME=NUMBER"
  std::string retain_succeeded;
  std::string retain_failed;
  std::string retain_cancelled;
  bool json = false;
};
ExitCode queue_set(const QueueSetCommand& command);

}  // namespace almanac
