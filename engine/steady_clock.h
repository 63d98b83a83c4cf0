// Time that never goes back, and waiting for it: what library classes measure waits with. Tests put
// their own functions in its place.
#pragma once

#include <almanac/engine/steady_time.h>
#include <almanac/log/this_thread.h>
#include <almanac/log/types.h>

#include <functional>
#include <stop_token>

namespace almanac {

struct SteadyClock {
  std::function<SteadyTime()> now = steady_time;
  // Waits so long, or until told to stop, at once.
  std::function<void(const std::stop_token&, Duration)> wait_for = this_thread::wait_for;
};

}  // namespace almanac
