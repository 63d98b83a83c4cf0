#include <almanac/tools/progress.h>

#include <optional>
#include <utility>

namespace almanac {
namespace {

struct Ended {
  TaskId id;
  std::string_view message;
};

std::optional<Ended> ended(const EventBody& body) {
  if (const auto* event = std::get_if<TaskSucceeded>(&body)) return Ended{event->id, ""};
  if (const auto* event = std::get_if<TaskAttemptFailed>(&body)) {
    return Ended{event->id, event->end.message};
  }
  if (const auto* event = std::get_if<TaskFailed>(&body)) {
    return Ended{event->id, event->end.message};
  }
  if (const auto* event = std::get_if<TaskCancelled>(&body)) {
    return Ended{event->id, event->reason};
  }
  return std::nullopt;
}

TaskState state_after(const EventBody& body) {
  if (std::holds_alternative<TaskSucceeded>(body)) return TaskState::succeeded;
  if (std::holds_alternative<TaskAttemptFailed>(body)) return TaskState::delayed;
  if (std::holds_alternative<TaskFailed>(body)) return TaskState::failed;
  return TaskState::cancelled;
}

}  // namespace

void Progress::see(const State& state, std::span<const RecordedEvent> events) {
  std::lock_guard guard(mutex_);
  if (!began_) began_ = state;
  seen_ = state;
  for (const auto& [position, event] : events) {
    auto end = ended(event.body);
    if (!end) continue;
    const Task* found = state.tasks.all.find(end->id);
    const Task task = found == nullptr ? Task() : *found;  // forgotten in the same turn
    auto after = state_after(event.body);
    notes_.push_back({.id = end->id,
                      .state = after,
                      .attempt = task.attempts,
                      .position = position,
                      .took = task.attempts > 0 ? event.at - task.started_at : Duration(0),
                      .at = event.at,
                      .message = std::string(end->message)});
    if (has_ended(after)) awaited_.erase(end->id);
  }
  if (!notes_.empty()) changed_.notify_one();
}

void Progress::await(std::span<const TaskId> ids) {
  std::lock_guard guard(mutex_);
  for (TaskId id : ids) {
    const Task* task = seen_.tasks.all.find(id);
    if (task != nullptr && !has_ended(task->state)) awaited_.insert(id);
  }
  complete_ = true;
}

State Progress::began() const {
  std::lock_guard guard(mutex_);
  return began_.value_or(State());
}

bool Progress::done() const {
  std::lock_guard guard(mutex_);
  return complete_ && awaited_.empty() && notes_.empty();
}

std::vector<AttemptNote> Progress::take(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] { return !notes_.empty(); });
  return std::exchange(notes_, {});
}

}  // namespace almanac
