// Tasks that are commands: what to run, as the payload of a task of kind "command".
#pragma once

#include <almanac/engine/task_spec.h>
#include <almanac/log/error.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

inline constexpr std::string_view command_kind = "command";

// The payload is this as JSON: {"argv":[…],"cwd":"…","env":{…}}. A value.
struct CommandSpec {
  std::vector<std::string> arguments;  // the program first; never a shell unless it is one
  std::string working_folder;          // empty = the engine's own
  // Beside these a command sees the variables on the engine's allow-list, and ALMANAC_TASK,
  // ALMANAC_ATTEMPT and ALMANAC_TOKEN (see log/fencing_token.h).
  std::map<std::string, std::string> environment;
};

// Variables of ours that commands see unless said otherwise: PATH, HOME, USER, LOGNAME, LANG,
// LC_ALL, TZ, TMPDIR, SHELL.
[[nodiscard]] std::vector<std::string> environment_allow_default();

// Errors: invalid (no program, a zero byte, text that is not UTF-8).
[[nodiscard]] Result<std::string> encode(const CommandSpec& spec);
[[nodiscard]] Result<CommandSpec> decode_command(Bytes payload);

}  // namespace almanac
