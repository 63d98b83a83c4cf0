// Time that stands still until a test moves it on; waiting for it moves it on.
#pragma once

#include <almanac/engine/steady_clock.h>

#include <atomic>
#include <chrono>
#include <stop_token>

namespace almanac::test {

// Any thread.
class ManualSteadyClock {
 public:
  [[nodiscard]] SteadyTime now() const { return SteadyTime(Duration(now_)); }
  void advance(Duration time) { now_ += time.count(); }
  [[nodiscard]] SteadyClock steady() {
    return {.now = [this] { return now(); },
            .wait_for =
                [this](const std::stop_token& stop, Duration time) {
                  if (!stop.stop_requested()) advance(time);
                }};
  }

 private:
  std::atomic<Duration::rep> now_ = Duration(std::chrono::hours(1)).count();
};

}  // namespace almanac::test
