// Running a command of a component: in the component's folder, in a session of its own, with little
// of our environment, for a limited time.
#pragma once

#include <almanac/engine/component_spec.h>
#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// How a command ended. What it wrote is kept up to a limit: the beginning and the end of it.
struct CommandEnd {
  std::optional<Error> not_started;
  int exit_code = -1;  // -1 = it was ended by a signal, or has not begun
  int signal = 0;
  bool timed_out = false;
  bool stopped = false;  // because we were told to
  std::string output;
  Duration took{0};

  [[nodiscard]] bool succeeded() const { return exit_code == 0; }
};

// "exit code 2", "ended by SIGKILL", "it took over 600 s" …
[[nodiscard]] std::string describe(const CommandEnd& end);

struct CommandRun {
  std::filesystem::path folder;
  Duration timeout{0};
  std::stop_token stop;
  std::vector<std::string> environment;  // "NAME=value", all there is
  int guard_socket = -1;                 // guard.h; none = it dies with the calling thread alone
};

// Returns when the command and all that it has started has ended.
[[nodiscard]] CommandEnd run(const ComponentCommand& command, const CommandRun& run);

// Of a component's folder, for what Almanac keeps there.
inline constexpr std::string_view component_folder = ".component";
// PATH with the component's `.component/bin` in front of it, where it can have tools of its own,
// and the language as it is; what a command keeps for itself and for a while is in the component's
// folder.
[[nodiscard]] std::vector<std::string> component_environment(const std::filesystem::path& folder);
// Where a program that is named without a slash is found, for a component; empty = nowhere.
[[nodiscard]] std::filesystem::path find_program(const std::filesystem::path& folder,
                                                 const std::string& name);

}  // namespace almanac
