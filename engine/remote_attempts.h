// The attempts that workers elsewhere run: since when each has been silent, when its time is up,
// and whether it is to stop. Known from durable events and from signs of life, which are none: a
// log does not grow by them. All of it is in memory, and begins anew with every engine.
#pragma once

#include <almanac/engine/lease_spec.h>
#include <almanac/engine/pool_memory.h>
#include <almanac/engine/steady_time.h>
#include <almanac/log/event.h>
#include <almanac/projections/state.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace almanac {

// Owned by the core; used on the loop's thread alone.
class RemoteAttempts {
 public:
  // What durable events have made of them; `after` is the state with all of them. Those that
  // engines before this one have left may be silent for their whole time anew, from its start on.
  // O(events * log).
  void follow(const State& after, std::span<const RecordedEvent> events, SteadyTime now);

  // A sign of life. One that was told to stop gets no more time by it. O(log).
  LeaseStatus heard(TaskId id, Lease lease, SteadyTime now);
  [[nodiscard]] bool holds(TaskId id, Lease lease) const;

  // Nobody could have been heard: all get their whole time anew. O(attempts * log).
  void renew(SteadyTime now);

  // One that is over, each once.
  struct Over {
    TaskId id;
    Lease lease;
    bool is_late = false;  // its deadline has passed; else its worker was silent
  };
  [[nodiscard]] std::optional<Over> remove_over(Time now, SteadyTime steady_now);
  [[nodiscard]] std::optional<Time> next_deadline() const;
  [[nodiscard]] std::optional<SteadyTime> next_silence() const;
  [[nodiscard]] bool empty() const { return all_.empty(); }

 private:
  struct Remote {
    TaskId id;
    Duration lease_time{0};
    Time deadline;     // not set = none
    SteadyTime until;  // unless it is heard of
    bool is_cancelled = false;
  };
  using All = std::map<Lease, Remote, std::less<>, PoolAllocator<std::pair<const Lease, Remote>>>;
  template <class Moment>
  using ByMoment =
      std::set<std::pair<Moment, Lease>, std::less<>, PoolAllocator<std::pair<Moment, Lease>>>;
  void adopt(const State& state, SteadyTime now);
  void add(const State& state, TaskId id, SteadyTime now);
  void extend(Lease lease, Remote& remote, SteadyTime until);
  void remove(All::iterator entry);
  void see(const State& after, TaskId id, Lease lease, SteadyTime now);

  All all_;
  ByMoment<Time> deadlines_;     // of those that have one
  ByMoment<SteadyTime> silent_;  // by until when they may be
};

}  // namespace almanac
