// How a run is doing: told of events on the engine's thread, asked and printed on the main one.
#pragma once

#include <almanac/log/event.h>
#include <almanac/projections/state.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace almanac {

// The end of one attempt, or of a task that had none.
struct AttemptNote {
  TaskId id;
  TaskState state = TaskState::succeeded;  // delayed: it will be tried again
  std::uint32_t attempt = 0;
  Position position;
  Duration took{0};
  Time at;
  std::string message;
};

class Progress {
 public:
  // On the engine's thread; must be quick. Events in order, with the state behind them.
  void see(const State& state, std::span<const RecordedEvent> events);

  // Which tasks the run is for; `state` is asked after the lock is taken, so that no end slips
  // between the two.
  void await(std::span<const TaskId> ids,
             const std::function<std::shared_ptr<const State>()>& state);
  // All tasks of the run have ended.
  [[nodiscard]] bool done() const;
  // What has happened since the last call; waits until something has or the time is up.
  [[nodiscard]] std::vector<AttemptNote> take(std::chrono::milliseconds timeout);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<AttemptNote> notes_;      // guarded by mutex_
  std::unordered_set<TaskId> awaited_;  // guarded by mutex_
  bool complete_ = false;               // guarded by mutex_: await() has been called
};

}  // namespace almanac
