// Decisions about schedules: which there are, and what becomes of each of their instants.
#pragma once

#include <almanac/engine/decision.h>

#include <optional>
#include <vector>

namespace almanac {

// A schedule of that name is from now on this one; where it was already, nothing happens. Errors:
// invalid (a name, a limit, a task that could not be submitted, or that waits for something).
[[nodiscard]] Result<Decision> decide_one(const State& state, const DefineSchedule& command,
                                          const DecideContext& context);

// Errors: not_found, conflict (it is paused, or is not), invalid (its zone is gone).
[[nodiscard]] Result<Decision> decide_one(const State& state, const ChangeSchedule& command,
                                          const DecideContext& context);

// Those of its prefix that it does not name are removed, the others defined as DefineSchedule does:
// all of it or, where one of them is refused, nothing.
[[nodiscard]] Result<Decision> decide_one(const State& state, const SetSchedules& command,
                                          const DecideContext& context);

// What becomes of the instants that have come: each firing, and the task it enqueues behind it. At
// most limits::firings_per_turn of them; the rest is due at once.
[[nodiscard]] std::vector<Event> decide_firings(const State& state, const DecideContext& context);
// When there is something to decide again; not behind the state's time where that is at once.
// O(schedules with queued instants).
[[nodiscard]] std::optional<Time> next_firing(const State& state);

}  // namespace almanac
