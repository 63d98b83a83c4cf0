// `almanac audit`: who asked for what through the doors of a daemon, and who was turned away.
#pragma once

#include <almanac/tools/exit_code.h>

#include <filesystem>
#include <string>

namespace almanac {

struct AuditCommand {
  std::filesystem::path folder;
  std::string at;
  bool json = false;
  std::string principal;  // of this one alone; empty = of all
  bool refusals = false;  // those alone
};
ExitCode audit(const AuditCommand& command);

}  // namespace almanac
