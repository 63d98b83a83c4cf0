// Decisions about many tasks at once, and about queues and kinds: cancel, re-drive, pause, resume.
#pragma once

#include <almanac/engine/decision.h>

namespace almanac {

// All tasks or none, unless the command skips those that cannot be changed so. Answers how many
// were. Errors: invalid (too many at once), not_found, conflict (its state does not allow it), busy
// (a failed task whose dependents are being cancelled).
[[nodiscard]] Result<Decision> decide_one(const State& state, const ChangeTasks& command,
                                          const DecideContext& context);
// Changes nothing where it is so already. Errors: invalid (no name).
[[nodiscard]] Result<Decision> decide_one(const State& state, const PauseWork& command,
                                          const DecideContext& context);

}  // namespace almanac
