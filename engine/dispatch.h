// Choosing what runs next: pure, from the state alone.
#pragma once

#include <almanac/engine/decision.h>

#include <functional>
#include <string_view>

namespace almanac {

// The TaskStarted events for the free slots: the highest priority first, among equals the one
// submitted first, never more than the engine's and the queue's slots allow. Tasks of a kind that
// `can_run` denies stay where they are and are in nobody's way.
// O(lanes + started * log), a lane being the ready tasks of one queue and kind.
[[nodiscard]] std::vector<Event> decide_starts(
    const State& state, const DecideContext& context,
    const std::function<bool(std::string_view kind)>& can_run);

}  // namespace almanac
