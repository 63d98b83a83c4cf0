// The order in which the tasks of one submission are enqueued.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/log/error.h>

#include <cstddef>
#include <vector>

namespace almanac {

// Every task comes behind those it depends on, and otherwise as it was submitted: a task moves
// forward only to stand before one that depends on it. Indexes must be those of the submission.
// O(tasks + dependencies). Errors: invalid (a cycle, which is shown).
[[nodiscard]] Result<std::vector<std::size_t>> dependency_order(const EnqueueTasks& command);

}  // namespace almanac
