#include <almanac/engine/reviews.h>

#include <algorithm>
#include <string>

namespace almanac {
namespace {

std::unexpected<Error> not_held(const State& state, TaskId id) {
  const std::string number = std::to_string(id.value);
  const Task* task = state.tasks.all.find(id);
  if (task == nullptr) {
    return fail(ErrorCode::not_found, "there is no task " + number,
                "`almanac review list` shows those under review");
  }
  const bool is_paused = task->state == TaskState::held;
  return fail(ErrorCode::conflict,
              "task " + number + " is " + std::string(is_paused ? "paused" : name(task->state)) +
                  ", and not under review",
              is_paused ? "`almanac resume` lets it run" : "leave it out");
}

}  // namespace

Result<Decision> decide_one(const State& state, const ReviewTasks& command,
                            const DecideContext& context) {
  std::vector<TaskId> ids = command.ids;
  std::ranges::sort(ids);
  ids.erase(std::ranges::unique(ids).begin(), ids.end());
  Decision decision;
  for (TaskId id : ids) {
    const Hold* hold = state.tasks.held.find(id);
    if (hold == nullptr || hold->reason != HoldReason::restored) return not_held(state, id);
    decision.events.push_back({.at = context.now, .body = reviewed(id, *hold, command.decision)});
  }
  return decision;
}

}  // namespace almanac
