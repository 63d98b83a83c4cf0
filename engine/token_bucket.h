// A rate that a program keeps by itself, without an engine: a bucket of tokens that fills evenly.
// Nothing of it is recorded; rates that are shared or outlive the program are limits of an engine
// (Engine::take).
//
//   TokenBucket calls("search", {.per_minute = 600, .burst = 20});
//   if (calls.try_take()) …                                  // at once, or not
//   auto taken = calls.take({.timeout = 5s});                // waits
//   auto taken = co_await calls.take_on(loop);               // the same for coroutines
//
// How: the generic cell rate algorithm (ITU-T I.371): one number says when the bucket is full
// again.
#pragma once

#include <almanac/engine/async.h>
#include <almanac/engine/steady_clock.h>
#include <almanac/engine/timed_mutex.h>

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>

namespace almanac {

// Both at least 1, and the burst no more than comes back in 100 years.
struct TokenRate {
  std::uint32_t per_minute = 60;  // that come back; the time of one is rounded up to a nanosecond
  std::uint32_t burst = 10;       // at most
};

struct TokenWait {
  std::uint32_t tokens = 1;
  Duration timeout = limits::wait_default;
  std::stop_token stop = {};
};

// Any thread. A try takes no lock: a look at the clock and an atomic exchange.
class TokenBucket {
 public:
  // Full at first.
  TokenBucket(std::string name, TokenRate rate, SteadyClock clock = {});

  // All of them or none. Those that wait come first: while there are any it says no.
  [[nodiscard]] bool try_take(std::uint32_t tokens = 1);
  // Waits for its turn and for the tokens, in the order of those that came. False when they will
  // not be there in time, as soon as that is known; then none were taken. Errors: refused (more
  // than there ever are), stopped, invalid (a time-out below 0 or over wait_max).
  [[nodiscard]] Result<bool> take(const TokenWait& wait = {});
  // On the loop's thread, where it goes on. The loop's clock is that of the bucket; both outlive
  // it.
  [[nodiscard]] Async<Result<bool>> take_on(CoroutineLoop& loop, TokenWait wait = {});

  [[nodiscard]] const std::string& name() const { return turn_.name(); }

 private:
  // Takes them, or says how long it will be until they are there.
  [[nodiscard]] Duration take_or_wait(std::uint32_t tokens);
  [[nodiscard]] Result<void> check(const TokenWait& wait) const;

  const std::int64_t interval_;  // nanoseconds, of one token
  const std::uint32_t burst_;
  const SteadyClock clock_;
  std::atomic<std::int64_t> full_at_;
  std::atomic<std::uint32_t> waiting_ = 0;
  TimedMutex turn_;  // of those that wait
};

}  // namespace almanac
