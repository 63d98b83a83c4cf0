// Whether a task can do what it is for. What cannot is refused when it is submitted, with numbers,
// instead of being found out after a wait.
#pragma once

#include <almanac/engine/task_spec.h>
#include <almanac/projections/state.h>

namespace almanac {

// In a queue of the policy `deadline`: begun as early as can be, and taking as long as is thought,
// the task ends before its deadline. Without an estimate it is taken to need no time at all.
// Errors: refused.
[[nodiscard]] Result<void> check_admission(const State& state, const TaskSpec& spec, Time now);

}  // namespace almanac
