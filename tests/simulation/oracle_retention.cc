// What the oracle knows of forgetting: which tasks may go, and when.
#include <almanac/tests/simulation/oracle.h>

#include <utility>

namespace almanac::test {
// What the queue says is asked first, 0 being nothing; none = for ever.
std::optional<Duration> Oracle::kept_for(const Record& task) const {
  const auto queue = queues_.find(task.queue);
  const QueueRetention own = queue == queues_.end() ? QueueRetention() : queue->second.retention;
  const auto [by_queue, by_engine] =
      task.ended == TaskState::succeeded ? std::pair(own.succeeded, retention_.succeeded)
      : task.ended == TaskState::failed  ? std::pair(own.failed, retention_.failed)
                                         : std::pair(own.cancelled, retention_.cancelled);
  if (by_queue == retained_for_ever) return std::nullopt;
  return by_queue > Duration(0) ? by_queue : by_engine;
}

// Nobody may need it any more: neither wait for it, nor have to be cancelled because of it.
void Oracle::check(const TasksForgotten& event) {
  for (TaskId id : event.ids) {
    Record& task = record(id);
    require(task.ended.has_value() && !task.forgotten,
            text(id) + " is forgotten and has not ended");
    const auto kept = kept_for(task);
    require(kept && now_.event.at - task.ended_at >= *kept, text(id) + " is forgotten too soon");
    require(now_.event.at - task.enqueued_at >= task.unique.within,
            text(id) + " is forgotten while it is unique");
    judge_forgotten_member(task);
    task.forgotten = true;
    for (const auto& [other, dependent] : tasks_) {
      require(dependent.forgotten || !dependent.dependencies.contains(id),
              text(id) + " is forgotten and " + text(other) + " depends on it");
    }
  }
}

}  // namespace almanac::test
