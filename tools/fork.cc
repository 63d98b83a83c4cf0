#include <almanac/tools/branch_report.h>
#include <almanac/tools/past.h>
#include <almanac/tools/past_commands.h>
#include <almanac/tools/text.h>

#include <almanac/engine/engine.h>
#include <almanac/snapshots/fork.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

// "cancel" or "requeue", as --running takes it.
Result<RunningTasks> parse_running(std::string_view name) {
  if (name == "cancel") return RunningTasks::cancel;
  if (name == "requeue") return RunningTasks::requeue;
  return fail(ErrorCode::invalid, "--running is cancel or requeue, not '" + printable(name) + "'",
              "write cancel to leave what ran to the origin, requeue to run it again in the fork");
}

void print(const ForkReport& report) {
  print(report.branch);
  if (report.cancelled > 0) {
    fmt::print("cancelled {} that ran there; --running requeue lets them run again\n",
               counted(report.cancelled, "task"));
  }
  if (report.requeued > 0) {
    fmt::print("requeued  {} that ran there\n", counted(report.requeued, "task"));
  }
}

nlohmann::ordered_json json_of(const ForkReport& report) {
  auto json = json_of(report.branch);
  json["cancelled"] = report.cancelled;
  json["requeued"] = report.requeued;
  return json;
}

Result<ForkReport> make(const ForkCommand& command) {
  auto running = parse_running(command.running);
  if (!running) return std::unexpected(running.error());
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

}  // namespace

ExitCode fork(const ForkCommand& command) {
  auto report = make(command);
  if (!report) return almanac::report(report.error());
  if (command.json) {
    fmt::print("{}\n", json_of(*report).dump());
  } else {
    print(*report);
  }
  return ExitCode::ok;
}

}  // namespace almanac
