#include <almanac/engine/changes.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>
#include <almanac/engine/tasks.h>
#include <almanac/engine/uniqueness.h>

#include <almanac/projections/dependencies.h>
#include <almanac/projections/group_ends.h>

#include <algorithm>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <utility>

namespace almanac {
namespace {

// The event that changes the task; none where it is so already.
using Decided = Result<std::optional<EventBody>>;

std::unexpected<Error> conflict(TaskId id, std::string_view why, std::string next_step) {
  return fail(ErrorCode::conflict, "task " + std::to_string(id.value) + " " + std::string(why),
              std::move(next_step));
}

Decided retry(const State& state, TaskId id, const Task& task, std::string_view reason) {
  if (task.state != TaskState::failed) {
    return conflict(id, "is " + std::string(name(task.state)) + ", and only failed tasks run again",
                    "leave it out");
  }
  if (dooms(state.tasks, id)) {
    return fail(ErrorCode::busy,
                "what depends on task " + std::to_string(id.value) + " is still being cancelled",
                "try again in a moment");
  }
  if (const auto other = live_other(state, id)) {
    return conflict(
        id, "is the same work as task " + std::to_string(other->value) + ", which has not ended",
        "leave it out, or wait until that has ended");
  }
  return TaskRedriven{id, reason};
}

Decided pause(const State& state, TaskId id, const Task& task) {
  if (is_paused(state.tasks, id)) return std::nullopt;
  if (holds_lease(task.state)) {
    return conflict(id, "runs, and an attempt that has begun cannot be paused",
                    "cancel it, or pause its queue");
  }
  if (has_ended(task.state) || task.state == TaskState::held) {
    const bool under_review = task.state == TaskState::held;
    return conflict(id, under_review ? "is under review" : "has ended",
                    under_review ? "`almanac review` decides about it" : "leave it out");
  }
  return TaskHeld{.id = id, .reason = HoldReason::paused};
}

Decided resume(const State& state, TaskId id) {
  if (!is_paused(state.tasks, id)) return conflict(id, "is not paused", "leave it out");
  return TaskReleased{id};
}

Decided hasten(TaskId id, const Task& task) {
  if (task.state == TaskState::delayed) return TaskReadied{id};
  return conflict(id,
                  "is " + std::string(name(task.state)) + ", and only delayed tasks have a time",
                  "leave it out");
}

Decided change(const State& state, const ChangeTasks& command, TaskId id) {
  if (command.change == TaskChange::cancel) return cancel(state, id, command.reason);
  const Task* task = state.tasks.all.find(id);
  if (task == nullptr) return std::unexpected(unknown_task(state, id));
  switch (command.change) {
    case TaskChange::retry: return retry(state, id, *task, command.reason);
    case TaskChange::pause: return pause(state, id, *task);
    case TaskChange::resume: return resume(state, id);
    case TaskChange::hasten: return hasten(id, *task);
    case TaskChange::cancel:
    case TaskChange::forget: break;
  }
  return std::nullopt;
}

// From the last to the first, so that what one depends on can go with it.
Result<Decision> forget_now(const State& state, std::span<const TaskId> ids, bool skips,
                            const DecideContext& context) {
  Tasks left = state.tasks;
  std::vector<TaskId> gone;
  for (const TaskId id : std::views::reverse(ids)) {
    const Task* task = state.tasks.all.find(id);
    std::optional<Error> refusal;
    if (task == nullptr) {
      refusal = unknown_task(state, id);
    } else if (!has_ended(task->state)) {
      refusal = conflict(id, "has not ended", "cancel it first, or leave it out").error();
    } else if (is_needed(left, id) || is_group_to_blame(left, id)) {
      refusal = conflict(id, "is needed by another task", "name that as well").error();
    }
    if (refusal && !skips) return std::unexpected(*std::move(refusal));
    if (refusal) continue;
    left.all.erase(id);
    gone.push_back(id);
  }
  Decision decision{.events = {}, .answer = Changed{gone.size()}};
  if (gone.empty()) return decision;
  auto forgotten = context.memory.array<TaskId>(gone.size());
  std::ranges::copy(gone, forgotten.begin());
  decision.events.push_back({.at = context.now, .body = TasksForgotten{forgotten}});
  return decision;
}

}  // namespace

Result<Decision> decide_one(const State& state, const ChangeTasks& command,
                            const DecideContext& context) {
  if (command.ids.size() > limits::changes_max) {
    return fail(ErrorCode::invalid,
                "one command changes at most " + std::to_string(limits::changes_max) + " tasks");
  }
  std::vector<TaskId> ids = command.ids;
  std::ranges::sort(ids);
  ids.erase(std::ranges::unique(ids).begin(), ids.end());
  for (const TaskId id : ids) {
    if (auto checked = check_version(state, id, command.expected); !checked) {
      return std::unexpected(checked.error());
    }
  }
  if (command.change == TaskChange::forget) return forget_now(state, ids, command.skips, context);
  Decision decision;
  State after = state;  // with the events so far: of those that are the same work one runs again
  for (TaskId id : ids) {
    auto changed = change(after, command, id);
    if (!changed && !command.skips) return std::unexpected(changed.error());
    if (!changed || !*changed) continue;
    decision.events.push_back({.at = context.now, .body = std::move(**changed)});
    if (command.change == TaskChange::retry) {
      fold_into(after, {after.position.next(), decision.events.back()});
    }
  }
  decision.answer = Changed{decision.events.size()};
  return decision;
}

Result<Decision> decide_one(const State& state, const PauseWork& command,
                            const DecideContext& context) {
  if (auto checked = check_name(name(command.scope), command.name); !checked) {
    return std::unexpected(checked.error());
  }
  const auto id = state.names.find(command.name);
  const bool is_paused = id && state.pauses.all.contains(PausedWork{command.scope, *id});
  Decision decision;
  if (is_paused == command.pause) return decision;
  Event event{.at = context.now, .body = WorkResumed{command.scope, command.name}};
  if (command.pause) event.body = WorkPaused{command.scope, command.name};
  decision.events.push_back(event);
  return decision;
}

}  // namespace almanac
