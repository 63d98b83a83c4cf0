// The subcommands that change many tasks at once, or queues and kinds, in the manner of commands.h.
#pragma once

#include <almanac/tools/exit_code.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace almanac {

// Which tasks are meant: those that are named, or those for which an expression holds.
struct TaskChoice {
  std::vector<std::uint64_t> ids;
  std::string where;  // see query.h
  bool dry_run = false;
};

struct CancelCommand {
  std::filesystem::path folder;
  TaskChoice choice;
  std::string reason = "cancelled from the command line";
};
ExitCode cancel(const CancelCommand& command);

struct RetryCommand {
  std::filesystem::path folder;
  TaskChoice choice;
  std::string reason = "retried from the command line";
};
ExitCode retry(const RetryCommand& command);

struct PauseCommand {
  std::filesystem::path folder;
  TaskChoice choice;
  std::string queue;
  std::string kind;
};
ExitCode pause(const PauseCommand& command);
ExitCode resume(const PauseCommand& command);

}  // namespace almanac
