#include <almanac/tools/commands.h>
#include <almanac/tools/moment.h>
#include <almanac/tools/trial.h>
#include <almanac/tools/units.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/engine/engine.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace almanac {
namespace {

Result<void> check_accepted(const std::filesystem::path& folder, const TaskSpec& spec) {
  auto state = read_state_or_none(folder);
  if (!state) return std::unexpected(state.error());
  auto answer = try_out(*state, EnqueueTasks{{spec}});
  if (!answer) return std::unexpected(answer.error());
  return {};
}

Result<TaskSpec> make_spec(const SubmitCommand& command) {
  auto made = make_task(command.task);
  if (!made) return made;
  TaskSpec& spec = *made;
  if (!command.name.empty()) spec.label = command.name;
  spec.idempotency_key = command.key;
  for (std::uint64_t id : command.after) spec.dependencies.emplace_back(TaskId(id));
  if (!command.deadline.empty()) {
    auto deadline = parse_moment(command.deadline, system_time());
    if (!deadline) return std::unexpected(deadline.error());
    spec.deadline = *deadline;
  }
  if (!command.delay.empty()) {
    auto delay = parse_duration(command.delay);
    if (!delay) return std::unexpected(delay.error());
    spec.run_at = system_time() + *delay;
  }
  if (!command.run_at.empty()) {
    auto run_at = parse_time(command.run_at);
    if (!run_at) return std::unexpected(run_at.error());
    spec.run_at = *run_at;
  }
  return made;
}

}  // namespace

ExitCode submit(const SubmitCommand& command) {
  auto spec = make_spec(command);
  if (!spec) return report(spec.error());
  if (auto accepted = check_accepted(command.folder, *spec); !accepted) {
    return report(accepted.error());
  }
  // An engine that only takes the task: no kind of command runs while it is open.
  set_verbosity(Verbosity::quiet);  // what it would warn of is in its answer
  auto engine =
      Engine::open({.folder = command.folder, .runs_commands = false, .fires_schedules = false});
  if (!engine) return report(engine.error());
  auto submitted = (*engine)->submit(std::move(*spec));
  if (!submitted) return report(submitted.error());
  if (command.json) {
    nlohmann::ordered_json json{{"id", submitted->id.value}, {"existed", submitted->existed}};
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("task {}{}\n", submitted->id.value,
               submitted->existed ? " (submitted before under this key)" : "");
  }
  return ExitCode::ok;
}

}  // namespace almanac
