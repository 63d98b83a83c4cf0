#include <almanac/tools/commands.h>
#include <almanac/tools/trial.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/engine/engine.h>

#include <fmt/core.h>

namespace almanac {
namespace {

// All of the tasks can be cancelled, or why not, said for each. Changes nothing, and begins no log
// where there is none.
ExitCode check_all(const CancelCommand& command) {
  auto state = read_state(command.folder);
  if (!state) return report(state.error());
  auto first = ExitCode::ok;
  for (std::uint64_t id : command.ids) {
    auto answer = try_out(*state, CancelTask{TaskId(id), command.reason});
    if (answer) continue;
    auto code = report(answer.error());
    if (first == ExitCode::ok) first = code;
  }
  return first;
}

}  // namespace

ExitCode cancel(const CancelCommand& command) {
  if (auto checked = check_all(command); checked != ExitCode::ok) return checked;
  set_verbosity(Verbosity::quiet);  // what it would warn of is in its answer
  auto engine =
      Engine::open({.folder = command.folder, .runs_commands = false, .fires_schedules = false});
  if (!engine) return report(engine.error());
  for (std::uint64_t id : command.ids) {
    auto cancelled = (*engine)->cancel(TaskId(id), command.reason);
    if (!cancelled) return report(cancelled.error());
    fmt::print("task {} cancelled\n", id);
  }
  return ExitCode::ok;
}

}  // namespace almanac
