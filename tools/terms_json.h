// The terms of a task (projections/tasks.h), as programs read them.
#pragma once

#include <almanac/projections/state.h>

#include <nlohmann/json_fwd.hpp>

#include <span>

namespace almanac {

// Adds owner, deadline, estimate, expires_at, its groups and what it is unique by: what the task
// has.
void add_terms(nlohmann::ordered_json& json, const State& state, TaskId id);

// Their numbers as a list.
[[nodiscard]] nlohmann::ordered_json ids_json(std::span<const TaskId> ids);

}  // namespace almanac
