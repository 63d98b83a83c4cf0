#include <almanac/tools/origin_json.h>
#include <almanac/tools/past.h>
#include <almanac/tools/past_commands.h>
#include <almanac/tools/text.h>

#include <almanac/engine/engine.h>
#include <almanac/snapshots/fork.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <optional>

namespace almanac {
namespace {

std::optional<RunningTasks> running_tasks(std::string_view name) {
  if (name == "cancel") return RunningTasks::cancel;
  if (name == "requeue") return RunningTasks::requeue;
  return std::nullopt;
}

Result<BranchReport> make(const ForkCommand& command) {
  auto running = running_tasks(command.running);
  if (!running) {
    return fail(ErrorCode::invalid,
                "--running is cancel or requeue, not '" + printable(command.running) + "'");
  }
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  const Time now = system_time();
  auto position = find_position(**log, command.at, now);
  if (!position) return std::unexpected(position.error());
  auto tail = (*log)->tail();
  if (!tail) return std::unexpected(tail.error());
  return fork_log(**log, command.folder, command.to,
                  {.at = position->value_or(tail->last), .running = *running, .now = now});
}

void print(const BranchReport& report) {
  fmt::print("timeline  {}\norigin    {} at position {}\n", to_hex(report.timeline),
             to_hex(report.origin.timeline), report.origin.position.value);
  if (report.cancelled > 0) {
    fmt::print("cancelled {} that ran there; --running requeue lets them run again\n",
               counted(report.cancelled, "task"));
  }
  if (report.requeued > 0) {
    fmt::print("requeued  {} that ran there\n", counted(report.requeued, "task"));
  }
}

}  // namespace

ExitCode fork(const ForkCommand& command) {
  auto report = make(command);
  if (!report) return almanac::report(report.error());
  if (!command.json) {
    print(*report);
    return ExitCode::ok;
  }
  const nlohmann::ordered_json json{{"timeline", to_hex(report->timeline)},
                                    {"origin", origin_json(report->origin)},
                                    {"last", report->last.value},
                                    {"cancelled", report->cancelled},
                                    {"requeued", report->requeued}};
  fmt::print("{}\n", json.dump());
  return ExitCode::ok;
}

}  // namespace almanac
