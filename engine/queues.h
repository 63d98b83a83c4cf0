// Decisions about queues.
#pragma once

#include <almanac/engine/decision.h>

namespace almanac {

// No event when the queue has these settings already. Errors: invalid (also a setting that the
// policy does not use).
[[nodiscard]] Result<Decision> decide_one(const State& state, const ConfigureQueue& command,
                                          const DecideContext& context);

}  // namespace almanac
