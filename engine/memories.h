// Decisions about what programs remember.
#pragma once

#include <almanac/engine/decision.h>

#include <vector>

namespace almanac {

// Answers the numbers of what is stored. Errors: invalid, not_found (of what is updated or
// forgotten), conflict (an entry was changed since its expected position; a user was forgotten
// meanwhile), refused (an entry was forgotten with its user).
[[nodiscard]] Result<Decision> decide_one(const State& state, const ChangeMemories& command,
                                          const DecideContext& context);

// The events that store what a task leaves with its end: all of them, or an error and none.
// Errors: invalid, conflict (a user was forgotten meanwhile).
[[nodiscard]] Result<std::vector<Event>> store_memories(const State& state,
                                                        const FinishAttempt& command,
                                                        const DecideContext& context);

// Those whose time has come; some of them where there are many (limits.h): ask again after folding.
[[nodiscard]] std::vector<Event> decide_expired_memories(const State& state,
                                                         const DecideContext& context);

}  // namespace almanac
