// A lock for many readers or one writer whose waits always end, and that knows who holds it. All
// are served in the order in which they came, so that neither readers nor writers starve: who reads
// behind a writer that waits, waits too. As timed_mutex.h in all else.
#pragma once

#include <almanac/engine/lock_line.h>

#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace almanac {

class TimedSharedMutex {
 public:
  explicit TimedSharedMutex(std::string name)
      : line_("shared mutex", std::move(name), limits::readers_max, LockLine::Again::refused) {}

  using From = std::source_location;
  // To write.
  [[nodiscard]] Result<LockHold> lock(const LockOptions& options = {},
                                      From from = From::current()) {
    return line_.take(limits::readers_max, options, from);
  }
  [[nodiscard]] std::optional<LockHold> try_lock(From from = From::current()) {
    return line_.try_take(limits::readers_max, from);
  }
  [[nodiscard]] LockAwaiter lock_on(CoroutineLoop& loop, const LockOptions& options = {},
                                    From from = From::current()) {
    return line_.take_on(loop, limits::readers_max, options, from);
  }
  // To read. A thread that reads cannot write as well, nor read twice: behind a writer that waits
  // it would wait for itself.
  [[nodiscard]] Result<LockHold> lock_shared(const LockOptions& options = {},
                                             From from = From::current()) {
    return line_.take(1, options, from);
  }
  [[nodiscard]] std::optional<LockHold> try_lock_shared(From from = From::current()) {
    return line_.try_take(1, from);
  }
  [[nodiscard]] LockAwaiter lock_shared_on(CoroutineLoop& loop, const LockOptions& options = {},
                                           From from = From::current()) {
    return line_.take_on(loop, 1, options, from);
  }

  [[nodiscard]] const std::string& name() const { return line_.name(); }
  [[nodiscard]] std::vector<LockHolder> holders() const { return line_.holders(); }
  [[nodiscard]] std::size_t waiting() const { return line_.waiting(); }

 private:
  LockLine line_;
};

}  // namespace almanac
