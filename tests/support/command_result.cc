#include <almanac/tests/support/command_result.h>

#include <almanac/tests/support/child_process.h>

namespace almanac::test {

CommandResult run_command(const std::vector<std::string>& command) {
  ChildProcess process(command);
  CommandResult result;
  for (auto line = process.read_line(); line != "(end)"; line = process.read_line()) {
    result.output += line + "\n";
  }
  result.code = process.wait();
  return result;
}

}  // namespace almanac::test
