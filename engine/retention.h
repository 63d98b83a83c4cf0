// Retention: tasks that ended long ago leave the state. The log still has their events, as long as
// it is not trimmed, and so have the states of then.
#pragma once

#include <almanac/engine/decision.h>
#include <almanac/engine/task_retention.h>

#include <vector>

namespace almanac {

// What a look at some of the tasks has found.
struct Forgetting {
  std::vector<Event> events;
  TaskId next;  // in front of which to go on; none when all have been looked at
};

// Whether anything is ever forgotten: by what the engine is told, or a queue says of its own.
[[nodiscard]] bool forgets(const State& state, const TaskRetention& retention);

// The tasks in front of `before` that ended longer ago than their queue says, or else `retention`,
// but for those that another one needs (projections/dependencies.h) and those that are unique
// within a time that is not over. From the last to the first, so that none goes before those that
// depend on it. Looks at limits::forget_looks_per_turn of them. Pure.
[[nodiscard]] Forgetting decide_forgetting(const State& state, const DecideContext& context,
                                           const TaskRetention& retention, TaskId before);

}  // namespace almanac
