#include <almanac/engine/limits.h>
#include <almanac/tools/operations.h>
#include <almanac/tools/query_error.h>
#include <almanac/tools/task_commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

// How a change is told.
struct Words {
  std::string_view done;      // "cancelled"
  std::string_view would_be;  // "would be cancelled"
  std::string_view all_done = done;
};

Words words_of(TaskChange change) {
  switch (change) {
    case TaskChange::cancel: return {"cancelled", "would be cancelled"};
    case TaskChange::retry: return {"runs again", "would run again", "run again"};
    case TaskChange::pause: return {"paused", "would be paused"};
    case TaskChange::resume: return {"resumed", "would be resumed"};
    case TaskChange::hasten: return {"ready", "would be ready"};
    case TaskChange::forget: return {"forgotten", "would be forgotten"};
  }
  return {};
}

struct Request {
  const std::filesystem::path& folder;
  const TaskChoice& choice;
  TaskChange change = TaskChange::cancel;
  std::string reason;

  [[nodiscard]] ChangeTasks of(std::vector<TaskId> ids) const {
    return {.ids = std::move(ids), .change = change, .reason = reason, .skips = false};
  }
};

// All that were named, or why not, said for each. Changes nothing, and begins no log where there is
// none.
ExitCode check_named(const Request& request, State& state) {
  auto first = ExitCode::ok;
  for (std::uint64_t id : request.choice.ids) {
    auto answer = try_out(state, request.of({TaskId(id)}));
    if (answer) continue;
    const auto code = report(answer.error());
    if (first == ExitCode::ok) first = code;
  }
  return first;
}

// A part of them at a time, so that no number of them makes one huge batch.
Result<std::size_t> change_all(const Request& request, const std::vector<TaskId>& ids, bool skips) {
  auto operations = open_operations(request.folder);
  if (!operations) return std::unexpected(operations.error());
  std::size_t changed = 0;
  for (std::size_t begin = 0; begin < ids.size(); begin += limits::changes_max) {
    const auto end = std::min(begin + limits::changes_max, ids.size());
    ChangeTasks asked =
        request.of({ids.begin() + std::ptrdiff_t(begin), ids.begin() + std::ptrdiff_t(end)});
    asked.skips = skips;
    auto some = (*operations)->ask(asked);
    if (!some) return std::unexpected(some.error());
    changed += std::get<Changed>(*some).tasks;
  }
  return changed;
}

ExitCode change_named(const Request& request, State state) {
  if (auto checked = check_named(request, state); checked != ExitCode::ok) return checked;
  const Words words = words_of(request.change);
  std::vector<TaskId> ids;
  for (std::uint64_t id : request.choice.ids) ids.emplace_back(id);
  if (!request.choice.dry_run) {
    auto changed = change_all(request, ids, false);
    if (!changed) return report(changed.error());
  }
  for (TaskId id : ids) {
    fmt::print("task {} {}\n", id.value, request.choice.dry_run ? words.would_be : words.done);
  }
  return ExitCode::ok;
}

ExitCode change_matching(const Request& request, const State& state) {
  auto ids = tasks_to_change(state, request.choice.where, request.of({}));
  if (!ids) return report(ids.error());
  const Words words = words_of(request.change);
  if (request.choice.dry_run) {
    fmt::print("{} {}\n", counted(ids->size(), "task"), words.would_be);
    return ExitCode::ok;
  }
  std::size_t done = 0;
  if (!ids->empty()) {
    auto changed = change_all(request, *ids, true);
    if (!changed) return report(changed.error());
    done = *changed;
  }
  fmt::print("{} {}\n", counted(done, "task"), done == 1 ? words.done : words.all_done);
  return ExitCode::ok;
}

ExitCode change(const Request& request) {
  const TaskChoice& choice = request.choice;
  if (choice.ids.empty() && choice.where.empty()) {
    return report({ErrorCode::invalid, "no task is named",
                   "name some, or say which with --where EXPRESSION"});
  }
  auto state = read_state(request.folder);
  if (!state) return report(state.error());
  return choice.where.empty() ? change_named(request, std::move(*state))
                              : change_matching(request, *state);
}

ExitCode pause_or_resume(const PauseCommand& command, bool pauses) {
  if (command.queue.empty() && command.kind.empty()) {
    return change({.folder = command.folder,
                   .choice = command.choice,
                   .change = pauses ? TaskChange::pause : TaskChange::resume,
                   .reason = {}});
  }
  const bool names_tasks = !command.choice.ids.empty() || !command.choice.where.empty();
  if (names_tasks || command.choice.dry_run) {
    return report(
        {ErrorCode::invalid, "a queue or kind is named beside tasks", "do one after the other"});
  }
  const auto scope = command.kind.empty() ? PauseScope::queue : PauseScope::kind;
  const std::string& name = command.kind.empty() ? command.queue : command.kind;
  auto state = read_state(command.folder);
  if (!state) return report(state.error());
  auto accepted = try_out(*state, PauseWork{scope, name, pauses});
  if (!accepted) return report(accepted.error());
  auto done = ask_once(command.folder, PauseWork{scope, name, pauses});
  if (!done) return report(done.error());
  fmt::print("{} {} {}\n", almanac::name(scope), printable(name), pauses ? "paused" : "resumed");
  return ExitCode::ok;
}

}  // namespace

ExitCode cancel(const CancelCommand& command) {
  return change({.folder = command.folder,
                 .choice = command.choice,
                 .change = TaskChange::cancel,
                 .reason = command.reason});
}

ExitCode retry(const RetryCommand& command) {
  return change({.folder = command.folder,
                 .choice = command.choice,
                 .change = TaskChange::retry,
                 .reason = command.reason});
}

ExitCode pause(const PauseCommand& command) { return pause_or_resume(command, true); }
ExitCode resume(const PauseCommand& command) { return pause_or_resume(command, false); }

}  // namespace almanac
