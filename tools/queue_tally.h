// Tasks by queue and state, of states that are asked for one after the other: of one that lies
// close to the last only what changed is looked at.
#pragma once

#include <almanac/projections/state.h>
#include <almanac/tools/queue_json.h>

#include <map>
#include <mutex>
#include <string_view>

namespace almanac {

// Any thread may call. Keeps the state it counted last.
class QueueTally {
 public:
  // By name, as count_queues() has it; the names live as long as the state. O(what changed since
  // the last call, but no more than tasks).
  [[nodiscard]] std::map<std::string_view, QueueCounts> of(const State& state);

 private:
  void move_to(const State& state);

  std::mutex mutex_;
  Position position_;                     // guarded by mutex_, as are these
  PersistentVector<TaskId, Task> tasks_;  // of the last state
  std::map<NameId, QueueCounts> counts_;  // of those
};

}  // namespace almanac
