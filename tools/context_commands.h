// The subcommands of `almanac context`.
#pragma once

#include <almanac/tools/exit_code.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace almanac {

struct ContextGetCommand {
  std::filesystem::path folder;
  std::string user;
  std::string at;  // position or time; empty = now
  std::uint64_t turns = 20;
  bool json = false;  // with all turns
};
// Ends with not_found when nothing is known of the user, refused when he was forgotten.
ExitCode context_get(const ContextGetCommand& command);

struct ContextSetCommand {
  std::filesystem::path folder;
  std::string user;
  std::vector<std::string> preferences;  // NAME=VALUE; no value = it goes
  std::vector<std::string> fields;
  std::string friendship;
  std::vector<std::string> turns;      // ROLE:TEXT
  std::uint64_t version = UINT64_MAX;  // that is expected; 0 = nothing is known of the user
};
// Ends with conflict when the version is another.
ExitCode context_set(const ContextSetCommand& command);

struct ContextHistoryCommand {
  std::filesystem::path folder;
  std::string user;
  std::string at;
  bool json = false;
};
ExitCode context_history(const ContextHistoryCommand& command);

struct ContextForgetCommand {
  std::filesystem::path folder;
  std::string user;
};
ExitCode context_forget(const ContextForgetCommand& command);

}  // namespace almanac
