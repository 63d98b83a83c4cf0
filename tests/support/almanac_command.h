// The `almanac` command as a person or a script runs it: in a folder, with its own input, variables
// and rights, and both of its outputs kept apart.
#pragma once

#include <almanac/log/file.h>

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {

struct Invocation {
  std::vector<std::string> arguments;  // behind the program's name
  std::filesystem::path folder;        // where it runs
  std::string input;
  // Beside the test's own variables, of which ALMANAC_DIR and those that are named here are taken
  // out.
  std::map<std::string, std::string> environment = {};
  // Runs in the child just before it becomes the command.
  std::function<void()> in_child = {};
};

struct CommandOutput {
  int code = 0;  // exit code, or minus the signal that ended it
  std::string output;
  std::string errors;
  bool echoes = true;  // whether the terminal, in the end, shows what is typed and waits for lines
};

// ALMANAC_BIN, or the command beside the test program.
[[nodiscard]] std::string almanac_path();

// Runs it to its end.
[[nodiscard]] CommandOutput run_almanac(const Invocation& invocation);
// A terminal that a command runs on, seen from the other side.
struct Terminal {
  const FileDescriptor& keys;
  pid_t process;  // the command's

  void type(std::string_view text) const;
};
// The same on a terminal of this width, which is all three standard files: what it prints and what
// it complains about are one text. `seen` is told all that was printed so far, whenever that has
// become more.
using Seen = std::function<void(const std::string& text, const Terminal& terminal)>;
[[nodiscard]] CommandOutput run_on_terminal(const Invocation& invocation, std::size_t columns,
                                            const Seen& seen = {});

// Gives up the rights of root, should the test have them, so that permissions mean something. For
// Invocation::in_child.
void become_nobody();

// For Invocation::in_child: no file may grow beyond so many pages. A write behind that fails, or,
// with SIG_DFL for `on_excess`, the kernel kills who writes.
[[nodiscard]] std::function<void()> files_end_after(std::size_t pages, void (*on_excess)(int));

// The text in lines, without their ends.
[[nodiscard]] std::vector<std::string> lines_of(std::string_view text);

}  // namespace almanac::test
