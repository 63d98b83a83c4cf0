#include <almanac/tools/log_commands.h>

#include <almanac/tools/moment.h>
#include <almanac/tools/operations.h>
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

struct Trimmed {
  TrimReport report;
  NeededEvent needed;  // what holds the rest
  std::size_t carried = 0;
};

Result<Trimmed> trim_log(const LogTrimCommand& command, const TrimOptions& options) {
  auto log = Log::open(command.folder, {.index = false});
  if (!log) return std::unexpected(log.error());
  const auto checkpoint = (*log)->checkpoint();
  if (!checkpoint) return std::unexpected(checkpoint.error());
  const auto first = (*log)->first();
  if (!first) return std::unexpected(first.error());
  const auto last = (*log)->last_to_trim(options);
  if (!last) return std::unexpected(last.error());
  TrimReport nothing{.first = *first};
  if (*last < *first) return Trimmed{nothing, {}};
  if (!*checkpoint) {
    nothing.held_by = Position();
    return Trimmed{nothing, {}};
  }
  auto trimmed = (*log)->trim(options);
  if (!trimmed) return std::unexpected(trimmed.error());
  return Trimmed{*trimmed, needed_behind(**log, command, *trimmed)};
}

// As only an engine can, or the daemon that holds the log: what holds the rest is written again at
// the log's end, and there are checkpoints.
Result<void> trim_further(const LogTrimCommand& command, const TrimOptions& options,
                          Trimmed& trimmed) {
  auto operations = open_operations(command.folder);
  if (!operations) return std::unexpected(operations.error());
  auto further = (*operations)->trim(options);
  if (!further) return std::unexpected(further.error());
  trimmed.carried += further->carried;
  trimmed.report.first = further->report.first;
  trimmed.report.events += further->report.events;
  trimmed.report.bytes += further->report.bytes;
  trimmed.report.held_by = further->report.held_by;
  trimmed.needed = {.position = further->needed, .task = further->needed_by, .of = {}};
  return {};
}

void print(const Trimmed& trimmed) {
  const auto& [report, needed, carried] = trimmed;
  fmt::print("removed {}, {}; the log begins at position {}\n", counted(report.events, "event"),
             format_bytes(report.bytes), report.first.value);
  if (carried > 0) {
    fmt::print("{} that tasks still need {} written again at its end\n", counted(carried, "event"),
               carried == 1 ? "was" : "were");
  }
  if (report.held_by) {
    fmt::print("what lies behind the checkpoint at position {} was kept\n", report.held_by->value);
  }
  if (needed.task) {
    fmt::print(
        "task {0} still needs position {1}: more can go when it has ended, `almanac why {0}`\n",
        needed.task.value, needed.position.value);
  }
}

void print_json(const Trimmed& trimmed) {
  const auto& [report, needed, carried] = trimmed;
  nlohmann::ordered_json json{
      {"events", report.events}, {"bytes", report.bytes}, {"first", report.first.value}};
  if (carried > 0) json["carried"] = carried;
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
  auto trimmed = trim_log(command, *options);
  const bool is_held = !trimmed && trimmed.error().code == ErrorCode::conflict;
  if (is_held) trimmed.emplace();
  if (!trimmed) return report(trimmed.error());
  // Where there is no checkpoint it takes two engines to write two.
  int engines = trimmed->report.held_by == Position() ? 2 : trimmed->needed.task || is_held ? 1 : 0;
  for (; engines > 0; --engines) {
    if (auto further = trim_further(command, *options, *trimmed); !further) {
      return report(further.error());
    }
  }
  command.json ? print_json(*trimmed) : print(*trimmed);
  return ExitCode::ok;
}

}  // namespace almanac
