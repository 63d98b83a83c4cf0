// The subcommands that look at the state, now or in the past, one file each, in the manner of
// commands.h.
#pragma once

#include <almanac/tools/exit_code.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace almanac {

struct QueuesCommand {
  std::filesystem::path folder;
  std::string at;  // position or time; empty = the end
  bool json = false;
};
ExitCode queues(const QueuesCommand& command);

struct StateDigestCommand {
  std::filesystem::path folder;
  std::string at;
  bool json = false;
};
ExitCode state_digest(const StateDigestCommand& command);

struct StateVerifyCommand {
  std::filesystem::path folder;
  std::string at;
  bool json = false;
};
// Ends with corrupt when the state breaks a promise.
ExitCode state_verify(const StateVerifyCommand& command);

}  // namespace almanac
