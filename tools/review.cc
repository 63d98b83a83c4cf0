#include <almanac/engine/limits.h>
#include <almanac/tools/operations.h>
#include <almanac/tools/review_commands.h>
#include <almanac/tools/review_json.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

using nlohmann::ordered_json;

std::string position_text(Position position) {
  return position ? std::to_string(position.value) : "-";
}

// Those that were named, or all.
std::vector<TaskId> ids_of(const ReviewCommand& command, const State& state) {
  std::vector<TaskId> ids;
  for (std::uint64_t id : command.ids) ids.emplace_back(id);
  if (!command.all) return ids;
  for (const auto& [id, hold] : state.tasks.held) {
    if (hold.reason == HoldReason::restored) ids.push_back(id);
  }
  return ids;
}

std::string_view outcome_text(const Task& task) {
  if (task.state == TaskState::succeeded) return "counts as succeeded";
  if (task.state == TaskState::cancelled) return "cancelled";
  return "may run";
}

ExitCode decide_all(const ReviewCommand& command, ReviewDecision decision) {
  auto state = read_state(command.folder);
  if (!state) return report(state.error());
  const auto ids = ids_of(command, *state);
  if (ids.empty() && command.all) {
    fmt::print("no task is under review\n");
    return ExitCode::ok;
  }
  if (ids.empty()) {
    return report({ErrorCode::invalid, "no task is named", "name some, or say --all"});
  }
  auto accepted = try_out(*state, ReviewTasks{ids, decision});
  if (!accepted) return report(accepted.error());
  auto operations = open_operations(command.folder);
  if (!operations) return report(operations.error());
  for (std::size_t begin = 0; begin < ids.size(); begin += limits::submission_tasks_max) {
    const auto end = std::min(begin + limits::submission_tasks_max, ids.size());
    std::vector<TaskId> some(ids.begin() + std::ptrdiff_t(begin),
                             ids.begin() + std::ptrdiff_t(end));
    auto reviewed = (*operations)->ask(ReviewTasks{std::move(some), decision});
    if (!reviewed) return report(reviewed.error());
  }
  const auto after = (*operations)->state();
  if (!after) return report(after.error());
  for (TaskId id : ids) {
    const Task* task = (*after)->tasks.all.find(id);
    if (task != nullptr) fmt::print("task {} {}\n", id.value, outcome_text(*task));
  }
  return ExitCode::ok;
}

}  // namespace

ExitCode review_list(const ReviewListCommand& command) {
  auto source = open_source(command.folder);
  if (!source) return report(source.error());
  const Tasks& tasks = source->state.tasks;
  Table table({"ID", "OUTCOME", "STARTED", "ENDED", "LABEL"});
  bool any = false;
  for (const auto& [id, hold] : tasks.held) {
    if (hold.reason != HoldReason::restored) continue;
    any = true;
    auto label = source->label(*tasks.all.find(id));
    if (!label) return report(label.error());
    if (command.json) {
      const auto json = review_json(id, hold, *label);
      fmt::print("{}\n", json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
      continue;
    }
    table.add({std::to_string(id.value), std::string(name(hold.outcome)),
               position_text(hold.started), position_text(hold.ended), printable(*label)});
  }
  if (command.json) return ExitCode::ok;
  if (!any) {
    fmt::print("no task is under review\n");
  } else {
    fmt::print("{}", table.text(terminal_columns()));
  }
  return ExitCode::ok;
}

ExitCode review_run(const ReviewCommand& command) {
  return decide_all(command, ReviewDecision::run);
}
ExitCode review_skip(const ReviewCommand& command) {
  return decide_all(command, ReviewDecision::skip);
}
ExitCode review_accept(const ReviewCommand& command) {
  return decide_all(command, ReviewDecision::accept);
}

}  // namespace almanac
