// So many units of something, taken one or several at once, with waits that always end. Served in
// the order in which they came: who wants many is not passed by those who want one. A thread may
// take more while it holds some. As timed_mutex.h in all else.
#pragma once

#include <almanac/engine/lock_line.h>

#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace almanac {

class TimedSemaphore {
 public:
  TimedSemaphore(std::string name, std::uint32_t units)
      : line_("semaphore", std::move(name), units, LockLine::Again::allowed) {}

  using From = std::source_location;
  // A hold gives back all of it at once.
  [[nodiscard]] Result<LockHold> acquire(std::uint32_t units = 1, const LockOptions& options = {},
                                         From from = From::current()) {
    return line_.take(units, options, from);
  }
  [[nodiscard]] std::optional<LockHold> try_acquire(std::uint32_t units = 1,
                                                    From from = From::current()) {
    return line_.try_take(units, from);
  }
  [[nodiscard]] LockAwaiter acquire_on(CoroutineLoop& loop, std::uint32_t units = 1,
                                       const LockOptions& options = {},
                                       From from = From::current()) {
    return line_.take_on(loop, units, options, from);
  }

  [[nodiscard]] const std::string& name() const { return line_.name(); }
  [[nodiscard]] std::vector<LockHolder> holders() const { return line_.holders(); }
  [[nodiscard]] std::size_t waiting() const { return line_.waiting(); }

 private:
  LockLine line_;
};

}  // namespace almanac
