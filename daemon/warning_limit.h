// Lines of the log that whoever is outside can cause: some a second, and how many were left out.
#pragma once

#include <almanac/daemon/limits.h>
#include <almanac/engine/steady_time.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace almanac {

// Any thread.
class WarningLimit {
 public:
  explicit WarningLimit(std::function<SteadyTime()> clock = steady_time)
      : clock_(std::move(clock)) {}

  // How many were left out since the last line; none = this one is left out as well.
  [[nodiscard]] std::optional<std::int64_t> take() {
    std::lock_guard guard(mutex_);
    const SteadyTime now = clock_();
    if (now - second_ >= std::chrono::seconds(1)) {
      second_ = now;
      lines_ = 0;
    }
    if (lines_ == limits::refusal_lines_per_second) {
      ++left_out_;
      return std::nullopt;
    }
    ++lines_;
    return std::exchange(left_out_, 0);
  }

 private:
  const std::function<SteadyTime()> clock_;
  std::mutex mutex_;  // of all below
  SteadyTime second_;
  std::uint32_t lines_ = 0;
  std::int64_t left_out_ = 0;
};

}  // namespace almanac
