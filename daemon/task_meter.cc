#include <almanac/daemon/task_meter.h>

#include <almanac/tools/task_event.h>

#include <algorithm>
#include <variant>

namespace almanac {

void TaskMeter::Histogram::add(Duration duration) {
  const double length = std::chrono::duration<double>(duration).count();
  const auto bucket = std::ranges::lower_bound(seconds, length) - seconds.begin();
  ++counts[static_cast<std::size_t>(bucket)];
  micros += static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
}

void TaskMeter::see(const State& state, std::span<const RecordedEvent> events) {
  for (const RecordedEvent& recorded : events) {
    const EventBody& body = recorded.event.body;
    const Task* task = state.tasks.all.find(task_of(body));
    if (std::holds_alternative<TaskEnqueued>(body)) ++enqueued;
    if (std::holds_alternative<TaskCancelled>(body)) ++cancelled;
    if (std::holds_alternative<TaskStarted>(body) && task != nullptr && task->attempts == 1) {
      waits.add(recorded.event.at - std::max(task->enqueued_at, task->run_at));
    }
    const bool went_well = std::holds_alternative<TaskSucceeded>(body);
    const bool went_badly =
        std::holds_alternative<TaskAttemptFailed>(body) || std::holds_alternative<TaskFailed>(body);
    if (went_well) ++succeeded;
    if (went_badly) ++attempts_failed;
    if (std::holds_alternative<TaskFailed>(body)) ++failed;
    if ((went_well || went_badly) && task != nullptr) {
      runs.add(recorded.event.at - task->started_at);
    }
  }
}

}  // namespace almanac
