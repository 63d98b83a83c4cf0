// What an engine would answer, found out without one: a request that is going to be refused is not
// made, so it changes nothing, and a mistyped folder does not become a log.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/log/error.h>
#include <almanac/projections/state.h>

#include <filesystem>
#include <string_view>
#include <vector>

namespace almanac {

// What the engine that follows will begin with, which also tells of checkpoints that do not serve.
// Errors: those of Log::open and state_at().
[[nodiscard]] Result<State> read_state(const std::filesystem::path& folder);
// The same, and an empty state where there is no log yet.
[[nodiscard]] Result<State> read_state_or_none(const std::filesystem::path& folder);

// Decides the command and folds what follows into `state`. Errors: those of decide(); `state` is
// as it was then.
[[nodiscard]] Result<Answer> try_out(State& state, const Command& command);

// Tasks for which the expression holds, and that `change` would change; it names none itself. Each
// is tried out. Errors: invalid (the expression).
[[nodiscard]] Result<std::vector<TaskId>> tasks_to_change(const State& state,
                                                          std::string_view where,
                                                          const ChangeTasks& change);

}  // namespace almanac
