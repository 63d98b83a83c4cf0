// The queues and kinds of which no attempt begins until they are resumed.
#pragma once

#include <almanac/log/events/pause.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/set.h>
#include <almanac/projections/ready_order.h>
#include <almanac/projections/state_hasher.h>

#include <compare>

namespace almanac {

struct PausedWork {
  PauseScope scope = PauseScope::queue;
  NameId name;
  auto operator<=>(const PausedWork&) const = default;
};

// A value; O(1) copy. Changed by fold() alone.
struct Pauses {
  PersistentSet<PausedWork> all;

  // Whether anything that holds for the lane is paused.
  [[nodiscard]] bool hold_back(Lane lane) const {
    return !all.empty() && (all.contains(PausedWork{PauseScope::queue, lane.queue}) ||
                            all.contains(PausedWork{PauseScope::kind, lane.kind}));
  }
  void hash_into(StateHasher& hasher) const;
};

// What is paused already, or not paused, changes nothing and answers false.
bool fold(Pauses& pauses, Names& names, const WorkPaused& event);
bool fold(Pauses& pauses, Names& names, const WorkResumed& event);

}  // namespace almanac
