// Decisions about queues.
#pragma once

#include <almanac/engine/decision.h>

namespace almanac {

// No event when the queue has these slots already. Errors: invalid.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ConfigureQueue& command,
                                          const DecideContext& context);

}  // namespace almanac
