// Choosing what runs next: pure, from the state alone.
//
// Within a queue its policy says who is first (projections/policy.h). Ranks of different policies
// have nothing to do with each other, so that queues are compared by what all tasks have: the
// queue goes first whose own first task has the higher priority, and among equals the one whose
// first task was submitted first. Between queues of the default policy that is the order of all
// their tasks taken together. Slots are what keeps one queue from taking all.
#pragma once

#include <almanac/engine/decision.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <string_view>

namespace almanac {

// The ready tasks in the order in which they would be started if all slots were free, one by one.
// Looks at the state while it lives.
class ReadyQueue {
 public:
  // Of the lanes that `takes` does not leave out. O(lanes).
  ReadyQueue(const State& state, const std::function<bool(const Lane&)>& takes);
  // The next one; none when there are no more. O(log lanes).
  [[nodiscard]] std::optional<TaskId> next();
  // The queue of the one that was given last takes no further part.
  void close_queue();

 private:
  // The best task of a lane that has not been given yet.
  struct Head {
    ReadyOrder::Places::Iterator place;
    ReadyOrder::Places::Iterator end;
    // The largest is taken first.
    bool operator<(const Head& other) const { return *other.place < *place; }
  };
  using Heads = std::priority_queue<Head>;
  // The first task of a queue, as it stands beside those of others.
  struct Front {
    std::int32_t priority = 0;
    TaskId id;
    Heads* heads = nullptr;
    bool operator<(const Front& other) const {
      return priority != other.priority ? priority < other.priority : other.id < id;
    }
  };

  void add_front(Heads& heads);

  const State& state_;
  std::map<NameId, Heads> queues_;
  std::priority_queue<Front> fronts_;
  Heads* given_ = nullptr;  // of the queue whose front was given and not replaced yet
};

// The TaskStarted events for the free slots, in that order, never more than the engine's and the
// queue's slots allow. Tasks of a kind that `can_run` denies stay where they are and are in
// nobody's way. O(lanes + started * log), a lane being the ready tasks of one queue and kind.
[[nodiscard]] std::vector<Event> decide_starts(
    const State& state, const DecideContext& context,
    const std::function<bool(std::string_view kind)>& can_run);

}  // namespace almanac
