// Decisions about attempts at workers elsewhere. Which tasks they are given is decided with all
// other starts (dispatch.h), and how attempts end that are reported with all other ends (tasks.h).
#pragma once

#include <almanac/engine/decision.h>

namespace almanac {

// Whether a worker may wait for this; what it is given is decided by decide_starts(). Errors:
// invalid (names, numbers).
[[nodiscard]] Result<Decision> decide_one(const State& state, const LeaseTasks& command,
                                          const DecideContext& context);
// A crash of its worker; a task that was told to stop has been cancelled. Errors: refused (the
// lease is no longer the task's, or is the engine's own).
[[nodiscard]] Result<Decision> decide_one(const State& state, const LapseLease& command,
                                          const DecideContext& context);

}  // namespace almanac
