// Decisions about backups: which jobs there are, which one begins, and how it went.
#pragma once

#include <almanac/engine/decision.h>

#include <vector>

namespace almanac {

// Whether an engine can take these. Errors: invalid (no repository, a name that is none or that is
// there twice, too many).
[[nodiscard]] Result<void> check(const BackupOptions& options);

// What a start has to say: that a run was cut off by the death of the engine that did it, and which
// jobs are there from now on, where that has changed.
[[nodiscard]] std::vector<Event> decide_schedules(const State& state, const StartEngine& command,
                                                  const DecideContext& context);

// The run that begins now, unless one is on its way. Of several that are due the one that has
// waited longest.
[[nodiscard]] std::vector<Event> decide_backups(const State& state, const DecideContext& context);

// Errors: conflict (it does not run).
[[nodiscard]] Result<Decision> decide_one(const State& state, const FinishBackup& command,
                                          const DecideContext& context);

}  // namespace almanac
