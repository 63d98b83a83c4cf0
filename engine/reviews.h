// Decisions about tasks under review.
#pragma once

#include <almanac/engine/decision.h>

namespace almanac {

// Errors: not_found, conflict (one is not under review).
[[nodiscard]] Result<Decision> decide_one(const State& state, const ReviewTasks& command,
                                          const DecideContext& context);

}  // namespace almanac
