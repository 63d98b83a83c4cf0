#include <almanac/tools/commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/command_spec.h>
#include <almanac/engine/engine.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace almanac {
namespace {

Result<TaskSpec> make_spec(const SubmitCommand& command) {
  auto payload = encode({.arguments = command.arguments,
                         .working_folder = std::filesystem::current_path().string(),
                         .environment = {}});
  if (!payload) return std::unexpected(payload.error());
  TaskSpec spec{.kind = std::string(command_kind),
                .queue = command.queue,
                .label = command.name.empty() ? command.arguments.front() : command.name,
                .payload = std::move(*payload),
                .priority = command.priority,
                .attempts_max = command.attempts,
                .tags = command.tags,
                .idempotency_key = command.key};
  for (std::uint64_t id : command.after) spec.dependencies.emplace_back(TaskId(id));
  if (!command.timeout.empty()) {
    auto timeout = parse_duration(command.timeout);
    if (!timeout) return std::unexpected(timeout.error());
    spec.timeout = *timeout;
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
  return spec;
}

}  // namespace

ExitCode submit(const SubmitCommand& command) {
  auto spec = make_spec(command);
  if (!spec) return report(spec.error());
  // An engine that only takes the task: no kind of command runs while it is open.
  auto engine = Engine::open({.folder = command.folder, .runs_commands = false});
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
