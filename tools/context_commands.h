// The subcommands of `almanac context`.
#pragma once

#include <almanac/projections/state.h>
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
// Also what is remembered of the user.
ExitCode context_forget(const ContextForgetCommand& command);

struct ContextKeysCommand {
  std::filesystem::path folder;
  std::string file;
};
// Ends with not_found when there are no keys, conflict when the file is there.
ExitCode context_export_keys(const ContextKeysCommand& command);
// Ends with refused when all of its keys were destroyed.
ExitCode context_import_keys(const ContextKeysCommand& command);
// What import-keys does, in words; `state` is that of the log. Errors: those of import_user_keys(),
// refused (all of its keys were destroyed).
[[nodiscard]] Result<std::string> bring_user_keys(const std::filesystem::path& file,
                                                  const std::filesystem::path& folder,
                                                  const State& state);

}  // namespace almanac
