// How long to wait before what has failed is tried again: of tasks, and of whatever else is
// retried.
#pragma once

#include <almanac/log/events/task.h>
#include <almanac/log/types.h>

#include <cstdint>

namespace almanac {

// The wait before attempt `failures` + 1, as RetryPolicy says; what is drawn comes from the seed,
// the task and the number of failures alone. `failures` is at least 1.
// Source: "equal jitter" in M. Brooker, Exponential Backoff and Jitter, 2015.
struct RetryDraw {
  RetryPolicy policy = RetryPolicy::exponential_jitter;
  std::uint64_t seed = 0;
  TaskId id = {};  // none: of what is no task
  std::uint32_t failures = 1;
};
[[nodiscard]] Duration retry_delay(const Backoff& backoff, const RetryDraw& draw);

}  // namespace almanac
