// Decisions about pools that are on record: what they tell becomes events.
#pragma once

#include <almanac/engine/decision.h>

namespace almanac {

// No event where an instance goes of which nothing is known: its making was not told in time.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ReportPoolEvent& command,
                                          const DecideContext& context);

}  // namespace almanac
