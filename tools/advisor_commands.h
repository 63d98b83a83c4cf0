// The subcommands of `almanac advisor`.
#pragma once

#include <almanac/tools/exit_code.h>

#include <filesystem>
#include <string>

namespace almanac {

struct AdvisorCheckCommand {
  std::string file;
  bool json = false;
};
// Starts the advisor that the file describes and asks it about tasks that do not exist. Ends with
// work_failed where it does not answer as it should.
ExitCode advisor_check(const AdvisorCheckCommand& command);

struct AdvisorListCommand {
  std::filesystem::path folder;
  std::string at;  // position or time; empty = now
  bool json = false;
};
ExitCode advisor_list(const AdvisorListCommand& command);

struct AdvisorShowCommand {
  std::filesystem::path folder;
  std::string advisor;
  std::string at;
  bool json = false;
};
// Ends with not_found when nothing is known of the advisor.
ExitCode advisor_show(const AdvisorShowCommand& command);

}  // namespace almanac
