// `almanac top`: how things stand, on a terminal, as they change.
#pragma once

#include <almanac/tools/exit_code.h>

#include <filesystem>
#include <string>

namespace almanac {

struct TopCommand {
  std::filesystem::path folder;
  std::string at;     // position or time where it begins; empty = now
  bool once = false;  // one page, also on a terminal
  bool json = false;  // the same as GET /v1/overview answers
};
// Until it is told to end; where there is no terminal, one page.
ExitCode top(const TopCommand& command);

}  // namespace almanac
