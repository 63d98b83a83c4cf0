#include <almanac/tools/commands.h>

#include <almanac/engine/engine.h>

#include <fmt/core.h>

namespace almanac {
namespace {

// Opening for writing would begin a log; cancelling only makes sense where there is one.
Result<void> check_exists(const std::filesystem::path& folder) {
  auto log = Log::open(folder, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  return {};
}

}  // namespace

ExitCode cancel(const CancelCommand& command) {
  if (auto exists = check_exists(command.folder); !exists) return report(exists.error());
  auto engine = Engine::open({.folder = command.folder, .runs_commands = false});
  if (!engine) return report(engine.error());
  auto worst = ExitCode::ok;
  for (std::uint64_t id : command.ids) {
    auto cancelled = (*engine)->cancel(TaskId(id), command.reason);
    if (cancelled) {
      fmt::print("task {} cancelled\n", id);
    } else {
      worst = report(cancelled.error());
    }
  }
  return worst;
}

}  // namespace almanac
