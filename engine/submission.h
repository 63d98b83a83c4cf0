// Deciding a submission: which of its tasks are new, what they depend on, and whether all of them
// can ever run.
#pragma once

#include <almanac/engine/decision.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace almanac {

// All tasks or none. Errors: invalid (a limit, an unknown task or index, a cycle, which is shown),
// conflict (an idempotency key that stands for other content, or a task in the way of one that says
// to refuse it then), refused (an empty submission).
[[nodiscard]] Result<Decision> decide_one(const State& state, const EnqueueTasks& command,
                                          const DecideContext& context);

// What to call a task of a submission in an error.
[[nodiscard]] std::string describe_task(const EnqueueTasks& command, std::size_t index);

// Whether a text may name a queue, a kind or a tag: 1 to 128 bytes of UTF-8 without control
// characters. Errors: invalid; `what` is the word for it.
[[nodiscard]] Result<void> check_name(std::string_view what, std::string_view name);

}  // namespace almanac
