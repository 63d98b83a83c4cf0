// What tasks still need from the front of a log, written again at its end: so that no task that
// waits for a year keeps a year of the log.
#pragma once

#include <almanac/engine/decision.h>
#include <almanac/log/log.h>
#include <almanac/snapshots/retention.h>

#include <span>

namespace almanac {

// As much of it as goes into one command, from the first on and never nothing; `state` is the one
// that it was found in. Any thread. Errors: those of Log::read_one.
[[nodiscard]] Result<CarryTasks> read_needed(const Log& log, const State& state,
                                             std::span<const NeededEvent> needed);

// Answers how many events it took.
[[nodiscard]] Result<Decision> decide_one(const State& state, const CarryTasks& command,
                                          const DecideContext& context);

}  // namespace almanac
