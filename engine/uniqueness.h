// Deciding about tasks of which no second one is wanted: what they are known by, and which others
// are in their way.
#pragma once

#include <almanac/engine/decision.h>

#include <optional>
#include <vector>

namespace almanac {

// Errors: invalid.
[[nodiscard]] Result<void> check_unique(const TaskSpec& spec);
// Of a task that says nothing of it: none.
[[nodiscard]] Uniqueness uniqueness_of(const TaskSpec& spec);

// The tasks of its identity because of which it is not to be enqueued now, the newest first.
// `lasts` is that of UniqueSpec.
[[nodiscard]] std::vector<TaskId> in_the_way(const State& state, const Uniqueness& unique,
                                             Duration lasts, Time now);
// That one of those is there.
[[nodiscard]] Error unique_conflict(const State& state, TaskId other);
// Those of its identity that run and have been told to stop: it is begun when they have ended.
[[nodiscard]] std::vector<TaskId> stopping_of(const State& state, const TaskIdentity& identity);

// Another one that is the same work and has not ended; none for a task that is not unique.
[[nodiscard]] std::optional<TaskId> live_other(const State& state, TaskId id);

}  // namespace almanac
