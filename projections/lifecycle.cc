#include <almanac/projections/lifecycle.h>

namespace almanac {
namespace {

constexpr std::array<std::string_view, task_state_count> state_names = {
    "waiting",   "delayed", "ready",     "running", "cancelling",
    "succeeded", "failed",  "cancelled", "held"};

constexpr std::array<std::string_view, task_step_count> step_names = {
    "TaskEnqueued",  "nothing is left to wait for",
    "TaskReadied",   "TaskStarted",
    "TaskSucceeded", "TaskAttemptFailed",
    "TaskFailed",    "TaskCancelRequested",
    "TaskCancelled", "TaskHandedBack",
    "TaskHeld",      "TaskReleased",
    "TaskAccepted",  "TaskSnoozed",
    "TaskRedriven",  "TaskFailedOver"};

}  // namespace

std::string_view name(TaskState state) { return state_names[static_cast<std::size_t>(state)]; }
std::string_view name(TaskStep step) { return step_names[static_cast<std::size_t>(step)]; }

std::optional<TaskState> task_state_from(std::string_view name) {
  for (std::size_t i = 0; i < state_names.size(); ++i) {
    if (state_names[i] == name) return static_cast<TaskState>(i);
  }
  return std::nullopt;
}

std::string lifecycle_picture() {
  std::string picture = "stateDiagram-v2\n";
  auto line = [&](std::string_view from, std::string_view to, std::string_view label) {
    picture += "    " + std::string(from) + " --> " + std::string(to);
    if (!label.empty()) picture += ": " + std::string(label);
    picture += '\n';
  };
  for (const Transition& row : lifecycle) {
    std::string label(name(row.step));
    if (!row.when.empty()) label += " (" + std::string(row.when) + ")";
    line(row.from ? name(*row.from) : "[*]", name(row.to), label);
  }
  for (std::size_t i = 0; i < task_state_count; ++i) {
    auto state = static_cast<TaskState>(i);
    if (has_ended(state)) line(name(state), "[*]", "");
  }
  return picture;
}

}  // namespace almanac
