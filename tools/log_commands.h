// The subcommands of `almanac log`, one file each, in the manner of commands.h.
#pragma once

#include <almanac/tools/event_filter.h>
#include <almanac/tools/exit_code.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace almanac {

struct LogCatCommand {
  std::filesystem::path folder;
  FilterOptions filter;
  std::uint64_t limit = 0;  // 0 = all
  bool reverse = false;
  bool json = false;
};
ExitCode log_cat(const LogCatCommand& command);

struct LogTailCommand {
  std::filesystem::path folder;
  FilterOptions filter;
  std::uint64_t count = 10;
  bool follow = false;
  bool json = false;
};
// Follows until it is interrupted or nobody reads what it prints: both end well.
ExitCode log_tail(const LogTailCommand& command);

struct LogGrepCommand {
  std::filesystem::path folder;
  std::string pattern;
  FilterOptions filter;
  std::uint64_t limit = 0;  // 0 = all
  bool extended = false;    // the pattern is an extended regular expression
  bool ignore_case = false;
  bool count = false;  // print how many there are, not which
  bool reverse = false;
  bool json = false;
};
// Ends with work_failed when nothing was found and nothing is said on standard error.
ExitCode log_grep(const LogGrepCommand& command);

struct LogStatCommand {
  std::filesystem::path folder;
  bool json = false;
};
ExitCode log_stat(const LogStatCommand& command);

struct LogVerifyCommand {
  std::filesystem::path folder;
  std::uint64_t jobs = 0;  // 0 = one for each processor
  bool from_start = false;
  bool json = false;
};
ExitCode log_verify(const LogVerifyCommand& command);

struct LogExportCommand {
  std::filesystem::path folder;
  FilterOptions filter;
  std::uint64_t limit = 0;  // 0 = all
  bool reverse = false;
  std::string output;  // empty = standard output
};
ExitCode log_export(const LogExportCommand& command);

struct LogImportCommand {
  std::filesystem::path folder;
  std::string file;  // "-" = standard input
  bool json = false;
};
ExitCode log_import(const LogImportCommand& command);

struct LogTrimCommand {
  std::filesystem::path folder;
  std::uint64_t before = 0;  // position; 0 = not said
  std::string older_than;    // time; empty = not said
  std::string keep;          // size; empty = not said
  bool json = false;
};
ExitCode log_trim(const LogTrimCommand& command);

struct LogRepairCommand {
  std::filesystem::path folder;
  bool dry_run = false;  // only say what would be kept and cut
  bool json = false;
};
ExitCode log_repair(const LogRepairCommand& command);

struct LogCompactCommand {
  std::filesystem::path folder;
  bool json = false;
};
ExitCode log_compact(const LogCompactCommand& command);

}  // namespace almanac
