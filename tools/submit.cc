#include <almanac/tools/choices.h>
#include <almanac/tools/commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>
#include <almanac/tools/units.h>

#include <almanac/engine/command_spec.h>
#include <almanac/engine/diagnostics.h>
#include <almanac/engine/engine.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t label_columns_max = 60;

// The working folder of the command, which is also that of this process.
Result<std::string> current_folder() {
  std::error_code error;
  auto path = std::filesystem::current_path(error);
  if (error) return fail_errno(error.value(), "tell the current folder");
  return path.string();
}

Result<void> check_accepted(const std::filesystem::path& folder, const TaskSpec& spec) {
  auto state = read_state_or_none(folder);
  if (!state) return std::unexpected(state.error());
  auto answer = try_out(*state, EnqueueTasks{{spec}});
  if (!answer) return std::unexpected(answer.error());
  return {};
}

struct After {
  TaskId id;
  DependencyCondition condition = DependencyCondition::success;
};

// "7" or "7:end".
Result<After> parse_after(std::string_view text) {
  const auto colon = std::min(text.find(':'), text.size());
  After after;
  const auto* end = text.data() + colon;
  const auto [read, error] = std::from_chars(text.data(), end, after.id.value);
  if (error != std::errc() || read != end || !after.id) {
    return fail(ErrorCode::invalid,
                "'" + std::string(text) + "' does not begin with a task's number",
                "write --after 7 or --after 7:end");
  }
  if (colon == text.size()) return after;
  auto condition = condition_from(text.substr(colon + 1));
  if (!condition) return std::unexpected(condition.error());
  after.condition = *condition;
  return after;
}

Result<TaskSpec> make_spec(const SubmitCommand& command) {
  auto folder = current_folder();
  if (!folder) return std::unexpected(folder.error());
  CommandSpec run{.arguments = command.arguments, .working_folder = *folder, .environment = {}};
  auto payload = encode(run);
  if (!payload) return std::unexpected(payload.error());
  TaskSpec spec{.kind = std::string(command_kind),
                .queue = command.queue,
                .label = command.name.empty() ? cut(shell_line(run.arguments), label_columns_max)
                                              : command.name,
                .payload = std::move(*payload),
                .priority = command.priority,
                .attempts_max = command.attempts,
                .crashes_max = command.crashes,
                .tags = command.tags,
                .idempotency_key = command.key};
  for (const std::string& text : command.after) {
    auto after = parse_after(text);
    if (!after) return std::unexpected(after.error());
    spec.dependencies.emplace_back(after->id);
    spec.conditions.push_back(after->condition);
  }
  if (!command.retry.empty()) {
    auto policy = retry_policy_from(command.retry);
    if (!policy) return std::unexpected(policy.error());
    spec.retry_policy = *policy;
  }
  if (!command.expires.empty()) {
    auto expires = parse_duration(command.expires);
    if (!expires) return std::unexpected(expires.error());
    spec.expires_at = system_time() + *expires;
  }
  if (!command.expires_at.empty()) {
    auto expires_at = parse_time(command.expires_at);
    if (!expires_at) return std::unexpected(expires_at.error());
    spec.expires_at = *expires_at;
  }
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
  if (auto accepted = check_accepted(command.folder, *spec); !accepted) {
    return report(accepted.error());
  }
  // An engine that only takes the task: no kind of command runs while it is open.
  set_verbosity(Verbosity::quiet);  // what it would warn of is in its answer
  auto engine = Engine::open(
      {.folder = command.folder, .runs_commands = false, .retention = TaskRetention::keep_all()});
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
