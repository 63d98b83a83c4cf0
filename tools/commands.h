// The subcommands of `almanac`, one file each; those of `almanac log` are in log_commands.h, those
// that look at the past in past_commands.h. Each prints what it found on standard output, what went
// wrong on standard error, and answers the exit code.
#pragma once

#include <almanac/tools/command_task.h>
#include <almanac/tools/exit_code.h>
#include <almanac/tools/group_options.h>
#include <almanac/tools/run_backups.h>
#include <almanac/tools/run_log.h>
#include <almanac/tools/unique_options.h>

#include <almanac/log/events/task.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace almanac {

struct RunCommand {
  std::string workload;  // empty = what the folder holds; "-" = standard input
  std::filesystem::path folder;
  std::uint32_t slots = 0;  // 0 = one for each processor
  std::string grace = "10s";
  std::string versions;  // of tasks that are run, as in version_range.h; empty = all
  bool json = false;
  bool forever = false;  // also when all tasks have ended
  bool all = false;      // every task in the closing table, every end on a line of its own
  bool verbose = false;
  std::string retain_succeeded = "3d";
  std::string retain_failed = "365d";  // and cancelled
  bool retain_all = false;
  std::string components;  // the file that describes those it keeps; empty = none
  bool gpu_watch = false;
  std::string models;          // the file that describes those it registers; empty = none
  std::string model_patience;  // empty = 30s
  std::string advisor;         // the file that describes it; empty = none
  RunBackups backups;
  RunLog log;
};
ExitCode run(const RunCommand& command);
// Those of it that are about GPUs.
void add_gpu_options(class OptionSet& options, RunCommand& command);

struct SubmitCommand {
  std::filesystem::path folder;
  CommandTask task;
  std::string name;
  std::string delay;
  std::string run_at;
  std::string deadline;            // a time, or "in 2 hours"
  std::vector<std::string> after;  // "7", "7:end"
  std::string expires;
  std::string expires_at;
  std::string key;
  UniqueOptions unique;
  GroupOptions groups;
  bool json = false;
};
ExitCode submit(const SubmitCommand& command);

struct ListCommand {
  std::filesystem::path folder;
  std::vector<std::string> states;
  std::string queue;
  std::string tag;
  std::string where;      // see query.h; empty = all
  std::size_t limit = 0;  // 0 = all
  std::string at;         // position or time; empty = the end
  bool json = false;
};
ExitCode list(const ListCommand& command);

struct ShowCommand {
  std::filesystem::path folder;
  std::uint64_t id = 0;
  bool output = false;  // nothing but the bytes the last attempt wrote
  std::string at;       // position or time; empty = the end
  bool json = false;
};
ExitCode show(const ShowCommand& command);

struct VersionCommand {
  bool json = false;
};
ExitCode show_version(const VersionCommand& command);

}  // namespace almanac
