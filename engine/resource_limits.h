// Decisions about limits.
#pragma once

#include <almanac/engine/decision.h>

#include <string_view>

namespace almanac {

// No event when the limit is set so already. Errors: invalid.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ConfigureLimit& command,
                                          const DecideContext& context);

// Takes the tokens when they are there; answers whether. Errors: invalid, refused (more than the
// limit ever has).
[[nodiscard]] Result<Decision> decide_one(const State& state, const TakeTokens& command,
                                          const DecideContext& context);

// Whether a task that asks for this can ever run as the limits are. Errors: invalid, not_found (a
// limit without a setting), refused (more than there is).
[[nodiscard]] Result<void> check_demands(const State& state,
                                         const std::vector<TaskDemand>& demands);

}  // namespace almanac
