// The clock that nobody sets: what is silent is measured by it, and who waits waits by it. It
// stands still while the machine sleeps.
#pragma once

#include <almanac/log/types.h>

#include <chrono>

namespace almanac {

using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;

[[nodiscard]] inline SteadyTime steady_time() {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

}  // namespace almanac
