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
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace almanac {

// The ready tasks in the order in which they would be started if nothing were short, one by one.
// Looks at the state while it lives.
class ReadyQueue {
 public:
  struct Next {
    Lane lane;
    TaskId id;
  };

  // Of the lanes that `takes` does not leave out. O(lanes).
  ReadyQueue(const State& state, const std::function<bool(const Lane&)>& takes);
  // None when there are no more. O(log lanes).
  [[nodiscard]] std::optional<Next> next();
  // The lane of the one that was given last takes no further part.
  void close_lane();

 private:
  using Places = ReadyOrder::Places;
  // A lane, and the first of it that has not been given yet.
  struct Source {
    Lane lane;
    const Places* places;
    Places::Iterator next;
  };
  // The same among the lanes of its queue: the largest is taken first.
  struct Head {
    LanePlace place;
    std::uint32_t source = 0;
    bool operator<(const Head& other) const { return other.place < place; }
  };
  // A heap of so many heads from there on.
  struct Queue {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  // The first task of a queue, as it stands beside those of others.
  struct Front {
    std::int32_t priority = 0;
    TaskId id;
    std::uint32_t queue = 0;
    bool operator<(const Front& other) const {
      return priority != other.priority ? priority < other.priority : other.id < id;
    }
  };
  // What was given last; its lane takes no further part where it has no source.
  struct Given {
    std::uint32_t queue = 0;
    std::optional<std::uint32_t> source;
  };

  void add(const Lane& lane, const Places& places);
  void add_front(std::uint32_t queue);
  void put_back();
  [[nodiscard]] std::span<Head> heads_of(const Queue& queue) {
    return std::span(heads_).subspan(queue.first, queue.count);
  }

  const State& state_;
  std::vector<Source> sources_;
  std::vector<Head> heads_;  // one for each source, those of a queue behind each other
  std::vector<Queue> queues_;
  std::vector<Front> fronts_;  // a heap
  std::optional<Given> given_;
};

// Whether the engine itself runs tasks of a kind.
using CanRun = std::function<bool(std::string_view kind)>;

class LeaseWaits;
struct Advice;
struct ModelTurns;

struct Starts {
  std::vector<Event> events;
  // Those that begin at a worker elsewhere, which need no more to wait.
  struct Grant {
    std::size_t event = 0;     // which of them
    std::uint64_t worker = 0;  // its number among those that wait
  };
  std::vector<Grant> grants;
  // When something may start that waits for tokens or advice now, if nothing else happens before.
  // None where nothing does, or all slots are taken.
  std::optional<Time> next;
};

struct StartOptions {
  const LeaseWaits* workers = nullptr;  // elsewhere, that wait
  const Advice* advice = nullptr;       // whom to begin with (advised_order.h)
  const ModelTurns* models = nullptr;   // which of them give way; none does when left out
};

// The TaskStarted events for the free slots, and for the workers elsewhere that wait, in that
// order, never more than the slots of the engine and the queue and the limits a task asks for
// allow. What the engine has no handler or no slot for goes to the first of `workers` that takes it
// and has been given less than it asked for; an attempt there takes no slot of the engine. Tasks
// that nobody runs now, or not in their version, and of a queue or kind that is paused, stay where
// they are and are in nobody's way.
//
// A task takes all it asks for at once, or nothing. The first of a lane that does not fit keeps its
// turn: what it takes is secured in one order (circuits, models, tokens, the queue's slot, then
// units, limit by limit), and up to the first that is short nobody behind it gets what it needs,
// nor any of that one. So small tasks cannot starve a large one, and as everybody secures in the
// same order, and only running tasks hold anything, none waits for one that waits for it. What asks
// for more than a limit has by now secures nothing, nor does what waits for a circuit or a model.
//
// O(lanes + started * log), a lane being the ready tasks of one queue, kind and version that ask
// for the same; lanes that ask for something cost their demands.
[[nodiscard]] Starts decide_starts(const State& state, const DecideContext& context,
                                   const CanRun& can_run, const StartOptions& options = {});

// What a lane that has tasks waits for once decide_starts() has chosen.
struct BlockedLane {
  Lane lane;
  LaneWait wait;  // since now
};
[[nodiscard]] std::vector<BlockedLane> blocked_lanes(const State& state, Time now,
                                                     const CanRun& can_run,
                                                     const StartOptions& options = {});

}  // namespace almanac
