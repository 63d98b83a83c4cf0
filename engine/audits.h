// Puts on record who asked for what, and who was turned away.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/decision.h>
#include <almanac/projections/state.h>

namespace almanac {

// An event for each note, in their order. Errors: invalid (too many).
[[nodiscard]] Result<Decision> decide_one(const State& state, const RecordAudits& command,
                                          const DecideContext& context);

}  // namespace almanac
