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
// Ends with not_found where there is none, or it has expired.
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
};
ExitCode memory_search(const MemorySearchCommand& command);

struct MemoryExportCommand {
  std::filesystem::path folder;
  std::string at;
};
// One JSON object a line.
ExitCode memory_export(const MemoryExportCommand& command);

struct MemoryForgetCommand {
  std::filesystem::path folder;
  std::vector<std::uint64_t> ids;
  std::string reason;
};
ExitCode memory_forget(const MemoryForgetCommand& command);

struct MemoryImportCommand {
  std::filesystem::path folder;
  std::string file;  // "-" = standard input
};
// Reads and checks all of it before anything is stored.
ExitCode memory_import(const MemoryImportCommand& command);

}  // namespace almanac
