// Takes events of the embedding program into the log, in order with the engine's own.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/decision.h>
#include <almanac/projections/state.h>

namespace almanac {

// Those whose key was used for the same before are answered with where that is. All or none.
// Errors: invalid (none, too many, no type, a key twice, causes that have not happened), conflict
// (a key that stands for another type or other data).
[[nodiscard]] Result<Decision> decide_one(const State& state, const AppendEvents& command,
                                          const DecideContext& context);

}  // namespace almanac
