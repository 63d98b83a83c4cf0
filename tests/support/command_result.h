// A command that is run to its end.
#pragma once

#include <string>
#include <vector>

namespace almanac::test {

struct CommandResult {
  int code = 0;        // exit code, or minus the signal that ended it
  std::string output;  // standard output; standard error is the test's
};

// `command` begins with the program's path.
[[nodiscard]] CommandResult run_command(const std::vector<std::string>& command);

}  // namespace almanac::test
