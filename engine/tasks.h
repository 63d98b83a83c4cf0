// Decisions about tasks: cancelling them, the ends of their attempts, and what time brings.
// Submitting them is engine/submission.h, choosing which runs next engine/dispatch.h.
#pragma once

#include <almanac/engine/decision.h>
#include <almanac/engine/submission.h>

#include <optional>
#include <string_view>

namespace almanac {

// What ends a task that does not run, or tells one that does to end; nothing when it has ended or
// was told. Borrows the reason.
[[nodiscard]] std::optional<EventBody> cancellation(TaskId id, const Task& task,
                                                    std::string_view reason);

// Errors: not_found, conflict (it has ended).
[[nodiscard]] Result<Decision> decide_one(const State& state, const CancelTask& command,
                                          const DecideContext& context);
// Errors: refused (the lease is no longer the task's, or of another timeline; nothing of a late
// result is kept).
[[nodiscard]] Result<Decision> decide_one(const State& state, const FinishAttempt& command,
                                          const DecideContext& context);
[[nodiscard]] Result<Decision> decide_one(const State& state, const HandBackAttempt& command,
                                          const DecideContext& context);

// What has become true by itself: delayed tasks that are due, ranks that time has changed, waiting
// tasks whose dependency ended badly. Some of it when there is much (limits.h): ask again after
// folding until it is empty.
[[nodiscard]] std::vector<Event> decide_due(const State& state, const DecideContext& context);

// The wait before attempt `failures` + 1: between half and all of min(max, initial * 2^(failures -
// 1)), drawn from the seed, the task and the number of failures alone. `failures` is at least 1.
// Source: "equal jitter" in M. Brooker, Exponential Backoff and Jitter, 2015.
struct RetryDraw {
  std::uint64_t seed = 0;
  TaskId id;
  std::uint32_t failures = 1;
};
[[nodiscard]] Duration retry_delay(const Backoff& backoff, const RetryDraw& draw);

}  // namespace almanac
