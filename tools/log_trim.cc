#include <almanac/tools/log_commands.h>

#include <almanac/tools/moment.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/log/log.h>

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

void print(const TrimReport& report) {
  fmt::print("removed {}, {}; the log begins at position {}\n", counted(report.events, "event"),
             format_bytes(report.bytes), report.first.value);
  if (report.held_by) {
    fmt::print("what lies behind the checkpoint at position {} was kept\n", report.held_by->value);
  }
}

void print_json(const TrimReport& report) {
  nlohmann::ordered_json json{
      {"events", report.events}, {"bytes", report.bytes}, {"first", report.first.value}};
  if (report.held_by) json["held_by_checkpoint"] = report.held_by->value;
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
  command.json ? print_json(*trimmed) : print(*trimmed);
  return ExitCode::ok;
}

}  // namespace almanac
