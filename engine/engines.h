// Decisions about the engine itself: its start, which takes back what a dead one held, and its end.
#pragma once

#include <almanac/engine/decision.h>

namespace almanac {

// Errors: invalid.
[[nodiscard]] Result<Decision> decide_one(const State& state, const StartEngine& command,
                                          const DecideContext& context);
[[nodiscard]] Result<Decision> decide_one(const State& state, const StopEngine& command,
                                          const DecideContext& context);

}  // namespace almanac
