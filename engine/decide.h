// Deciding: (state, command, now) to events, or a refusal. Pure: no I/O, no clock, no chance that
// is not in its arguments, nothing changed.
#pragma once

#include <almanac/engine/decision.h>

namespace almanac {

// Errors: invalid, not_found, conflict, refused.
[[nodiscard]] Result<Decision> decide(const State& state, const Command& command,
                                      const DecideContext& context);

}  // namespace almanac
