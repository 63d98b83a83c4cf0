#include <almanac/tools/branch_report.h>
#include <almanac/tools/past.h>
#include <almanac/tools/past_commands.h>

#include <almanac/engine/engine.h>
#include <almanac/snapshots/fork.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

Result<BranchReport> make(const ForkCommand& command) {
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
