// A mutex whose waits always end, and that knows its name and who holds it.
//
//   TimedMutex account("account");
//   auto held = account.lock({.timeout = 5s});     // Result<LockHold>; 30 s unless told otherwise
//   auto held = co_await account.lock_on(loop);    // the same for coroutines
//
// Served in the order in which they came. What errors there are, and what it costs: lock_line.h.
#pragma once

#include <almanac/engine/lock_line.h>

#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace almanac {

class TimedMutex {
 public:
  explicit TimedMutex(std::string name)
      : line_("mutex", std::move(name), 1, LockLine::Again::refused) {}

  using From = std::source_location;
  [[nodiscard]] Result<LockHold> lock(const LockOptions& options = {},
                                      From from = From::current()) {
    return line_.take(1, options, from);
  }
  [[nodiscard]] std::optional<LockHold> try_lock(From from = From::current()) {
    return line_.try_take(1, from);
  }
  [[nodiscard]] LockAwaiter lock_on(CoroutineLoop& loop, const LockOptions& options = {},
                                    From from = From::current()) {
    return line_.take_on(loop, 1, options, from);
  }

  [[nodiscard]] const std::string& name() const { return line_.name(); }
  [[nodiscard]] std::optional<LockHolder> holder() const {
    auto holders = line_.holders();
    return holders.empty() ? std::nullopt : std::optional(std::move(holders.front()));
  }
  [[nodiscard]] std::size_t waiting() const { return line_.waiting(); }

 private:
  LockLine line_;
};

}  // namespace almanac
