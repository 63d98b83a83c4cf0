#include <almanac/tools/log_commands.h>

#include <almanac/tools/moment.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/log/log.h>
#include <almanac/snapshots/retention.h>
#include <almanac/snapshots/state_at.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

Result<TrimOptions> read_options(const LogTrimCommand& command) {
  TrimOptions options;
  if (command.before != 0) options.before = Position(command.before);
  if (!command.older_than.empty()) {
    auto time = parse_moment(command.older_than, system_now());
    if (!time) return std::unexpected(time.error());
    options.older_than = *time;
  }
  if (!command.keep.empty()) {
    auto bytes = parse_bytes(command.keep);
    if (!bytes) return std::unexpected(bytes.error());
    options.keep_bytes = *bytes;
  }
  if (options.before || options.older_than || options.keep_bytes) return options;
  return fail(ErrorCode::invalid, "nothing says how much of the log may go",
              "give --before, --older-than or --keep");
}

// Of what the checkpoint keeps, what a task keeps it for; none when it is for no task.
NeededEvent needed_behind(const Log& log, const LogTrimCommand& command, const TrimReport& report) {
  if (!report.held_by) return {};
  const auto state = state_at(log, command.folder);
  if (!state) return {};
  const NeededEvent needed = first_needed(*state);
  return needed.position == report.held_by->next() ? needed : NeededEvent();
}

void print(const TrimReport& report, const NeededEvent& needed) {
  fmt::print("removed {}, {}; the log begins at position {}\n", counted(report.events, "event"),
             format_bytes(report.bytes), report.first.value);
  if (report.held_by) {
    fmt::print("what lies behind the checkpoint at position {} was kept\n", report.held_by->value);
  }
  if (needed.task) {
    fmt::print(
        "task {0} still needs position {1}: more can go when it has ended, `almanac why {0}`\n",
        needed.task.value, needed.position.value);
  }
}

void print_json(const TrimReport& report, const NeededEvent& needed) {
  nlohmann::ordered_json json{
      {"events", report.events}, {"bytes", report.bytes}, {"first", report.first.value}};
  if (report.held_by) json["held_by_checkpoint"] = report.held_by->value;
  if (needed.task) json["held_by_task"] = needed.task.value;
  fmt::print("{}\n", json.dump());
}

}  // namespace

ExitCode log_trim(const LogTrimCommand& command) {
  auto options = read_options(command);
  if (!options) return report(options.error());
  auto exists = Log::open(command.folder, {.access = Access::read});
  if (!exists) return report(exists.error());
  exists->reset();
  auto log = Log::open(command.folder, {.index = false});
  if (!log) return report(log.error());
  auto trimmed = (*log)->trim(*options);
  if (!trimmed) return report(trimmed.error());
  const NeededEvent needed = needed_behind(**log, command, *trimmed);
  command.json ? print_json(*trimmed, needed) : print(*trimmed, needed);
  return ExitCode::ok;
}

}  // namespace almanac
