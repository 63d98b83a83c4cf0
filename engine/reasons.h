// Decisions about what is put on record of why tasks wait.
#pragma once

#include <almanac/engine/dispatch.h>

#include <optional>
#include <vector>

namespace almanac {

struct Reasons {
  std::vector<Event> events;
  bool is_complete = true;  // else another look is due, though nothing may happen before
};

// The LaneBlocked events of lanes that wait for something else than is on record: another reason or
// another limit, not another number. Of those whose first task has been ready for
// limits::reasons_interval, and at most limits::reasons_per_turn. Called at most once in such an
// interval, so that a lane that flaps adds one event in it, however often it does. O(lanes).
[[nodiscard]] Reasons decide_reasons(const State& state, const DecideContext& context,
                                     const CanRun& can_run, const StartOptions& options = {});

}  // namespace almanac
