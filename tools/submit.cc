#include <almanac/tools/choices.h>
#include <almanac/tools/commands.h>
#include <almanac/tools/moment.h>
#include <almanac/tools/operations.h>
#include <almanac/tools/trial.h>
#include <almanac/tools/units.h>

#include <almanac/engine/engine.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
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

struct Named {
  TaskId id;
  DependencyCondition condition = DependencyCondition::success;
};

// "7" or "7:end".
Result<Named> parse_after(std::string_view text) {
  const auto colon = std::min(text.find(':'), text.size());
  Named after;
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
  auto made = make_task(command.task);
  if (!made) return made;
  TaskSpec& spec = *made;
  if (!command.name.empty()) spec.label = command.name;
  spec.idempotency_key = command.key;
  auto unique = make_unique_spec(command.unique);
  if (!unique) return std::unexpected(unique.error());
  spec.unique = *unique;
  if (auto set = set_groups(spec, command.groups); !set) return std::unexpected(set.error());
  for (const std::string& text : command.after) {
    auto after = parse_after(text);
    if (!after) return std::unexpected(after.error());
    spec.dependencies.emplace_back(after->id);
    spec.conditions.push_back(after->condition);
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

std::string outcome_text(const Submitted& submitted) {
  switch (submitted.outcome) {
    case SubmitOutcome::same_key: return " (submitted before under this key)";
    case SubmitOutcome::existing: return " (the same work, which is there already)";
    case SubmitOutcome::skipped: return " is the same work: skipped";
    case SubmitOutcome::enqueued: break;
  }
  if (!submitted.replaced) return {};
  return fmt::format(" (replaces task {})", submitted.replaced.value);
}

}  // namespace

ExitCode submit(const SubmitCommand& command) {
  auto spec = make_spec(command);
  if (!spec) return report(spec.error());
  if (auto accepted = check_accepted(command.folder, *spec); !accepted) {
    return report(accepted.error());
  }
  // An engine that is opened for it only takes the task: no command runs while it is open.
  const auto answer = ask_once(command.folder, EnqueueTasks{{std::move(*spec)}});
  if (!answer) return report(answer.error());
  const Submitted* submitted = &std::get<std::vector<Submitted>>(*answer).front();
  if (command.json) {
    nlohmann::ordered_json json{{"id", submitted->id.value}, {"existed", submitted->existed()}};
    if (submitted->outcome == SubmitOutcome::skipped) json["skipped"] = true;
    if (submitted->replaced) json["replaced"] = submitted->replaced.value;
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("task {}{}\n", submitted->id.value, outcome_text(*submitted));
  }
  return ExitCode::ok;
}

}  // namespace almanac
