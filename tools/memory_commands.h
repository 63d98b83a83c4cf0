// The subcommands of `almanac memory`.
#pragma once

#include <almanac/tools/exit_code.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace almanac {

struct MemoryAddCommand {
  std::filesystem::path folder;
  std::string content;
  std::string kind = "note";
  std::string user;
  std::string summary;
  std::string embedding;  // a JSON list
  std::vector<std::string> tags;
  std::string metadata;  // a JSON object
  std::string significance;
  std::string time_to_live;
};
// Prints the entry's number.
ExitCode memory_add(const MemoryAddCommand& command);

struct MemoryGetCommand {
  std::filesystem::path folder;
  std::uint64_t id = 0;
  std::string at;  // position or time; empty = now
  bool json = false;
};
// Ends with not_found where there is none, it has expired, or its user's key is not there; refused
// when it was forgotten with its user.
ExitCode memory_get(const MemoryGetCommand& command);

struct MemorySearchCommand {
  std::filesystem::path folder;
  std::string text;
  std::string embedding;   // a JSON list; empty = the newest first
  std::uint64_t like = 0;  // the entry whose embedding it is; 0 = of none
  std::string kind;
  std::string user;
  std::vector<std::string> tags;
  std::string from;
  std::string until;
  std::string significance;
  std::uint64_t limit = 10;
  std::string at;
  bool json = false;
  bool lists = false;  // also what nobody can open
};
ExitCode memory_search(const MemorySearchCommand& command);

struct MemoryExportCommand {
  std::filesystem::path folder;
  std::string at;
};
// One JSON object a line, without those that were forgotten with their user. Ends with not_found,
// and prints nothing, when a key is not there.
ExitCode memory_export(const MemoryExportCommand& command);

// Entries, or all that is known of a user.
struct MemoryForgetCommand {
  std::filesystem::path folder;
  std::vector<std::uint64_t> ids;
  std::string user;
  std::string reason;
};
ExitCode memory_forget(const MemoryForgetCommand& command);

struct MemoryDuplicatesCommand {
  std::filesystem::path folder;
  std::string kind;
  std::string user;
  std::string similarity;  // 0 to 1; empty = by content alone
  bool json = false;
};
ExitCode memory_duplicates(const MemoryDuplicatesCommand& command);

struct MemoryConsolidateCommand {
  std::filesystem::path folder;
  std::string kind;
  std::string user;
  std::string below;  // significance
  std::string older;  // how old, such as 30d
  std::string content;
  std::vector<std::string> tags;
  bool dry_run = false;
};
// Ends with not_found when there is nothing to sum up.
ExitCode memory_consolidate(const MemoryConsolidateCommand& command);

struct MemoryImportCommand {
  std::filesystem::path folder;
  std::string file;  // "-" = standard input
};
// Reads and checks all of it before anything is stored.
ExitCode memory_import(const MemoryImportCommand& command);

}  // namespace almanac
