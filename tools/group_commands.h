// The subcommands of `almanac group`.
#pragma once

#include <almanac/tools/exit_code.h>

#include <filesystem>
#include <string>

namespace almanac {

struct GroupChangeCommand {
  std::filesystem::path folder;
  std::string name;
  std::string reason;  // of a cancel
};
ExitCode group_create(const GroupChangeCommand& command);
ExitCode group_close(const GroupChangeCommand& command);
ExitCode group_cancel(const GroupChangeCommand& command);

struct GroupListCommand {
  std::filesystem::path folder;
  std::string at;  // position or time; empty = now
  bool json = false;
};
ExitCode group_list(const GroupListCommand& command);

struct GroupShowCommand {
  std::filesystem::path folder;
  std::string name;
  std::string at;
  bool json = false;
};
// Ends with not_found when there is no such group.
ExitCode group_show(const GroupShowCommand& command);

}  // namespace almanac
