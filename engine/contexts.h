// Decisions about what is known of users. Content comes sealed and is not looked into.
#pragma once

#include <almanac/engine/decision.h>

namespace almanac {

// Answers the version behind it, which is the one there was where nothing changes. Errors: conflict
// (another version than the expected one; another key, as the user was forgotten meanwhile),
// invalid (too many fields).
[[nodiscard]] Result<Decision> decide_one(const State& state, const ChangeContext& command,
                                          const DecideContext& context);
// One event for each key that is not known to be destroyed.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ForgetUser& command,
                                          const DecideContext& context);

}  // namespace almanac
