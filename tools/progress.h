// How a run is doing: told of events on the engine's thread, asked and printed on the main one.
#pragma once

#include <almanac/log/event.h>
#include <almanac/projections/state.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
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

  // Which tasks the run is for. Those that have ended by the events seen so far have their notes.
  void await(std::span<const TaskId> ids);
  // The state behind the engine's first events: nothing that waited for it has run yet.
  [[nodiscard]] State began() const;
  // All tasks of the run have ended.
  [[nodiscard]] bool done() const;
  // What has happened since the last call; waits until something has or the time is up.
  [[nodiscard]] std::vector<AttemptNote> take(std::chrono::milliseconds timeout);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<State> began_;          // guarded by mutex_
  State seen_;                          // guarded by mutex_: behind the last events
  std::vector<AttemptNote> notes_;      // guarded by mutex_
  std::unordered_set<TaskId> awaited_;  // guarded by mutex_
  bool complete_ = false;               // guarded by mutex_: await() has been called
};

}  // namespace almanac
