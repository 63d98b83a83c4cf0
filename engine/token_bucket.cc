#include <almanac/engine/token_bucket.h>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

constexpr std::int64_t minute = std::chrono::nanoseconds(std::chrono::minutes(1)).count();

std::int64_t since_epoch(SteadyTime time) {
  return std::chrono::nanoseconds(time.time_since_epoch()).count();
}

std::int64_t interval_of(TokenRate rate) {
  ALMANAC_CHECK(rate.per_minute > 0 && rate.burst > 0);
  const std::int64_t interval = (minute + rate.per_minute - 1) / rate.per_minute;
  ALMANAC_CHECK(rate.burst <= std::chrono::nanoseconds(limits::duration_max).count() / interval);
  return interval;
}

// One that waits, for as long as it does.
class Waiting {
 public:
  explicit Waiting(std::atomic<std::uint32_t>& count) : count_(count) { ++count_; }
  ~Waiting() { --count_; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  std::atomic<std::uint32_t>& count_;
};

std::unexpected<Error> stopped(const std::string& name) {
  return fail(ErrorCode::stopped, "told to stop while waiting for tokens of \"" + name + "\"");
}

}  // namespace

TokenBucket::TokenBucket(std::string name, TokenRate rate, SteadyClock clock)
    : interval_(interval_of(rate)),
      burst_(rate.burst),
      clock_(std::move(clock)),
      full_at_(since_epoch(clock_.now())),
      turn_(std::move(name)) {}

Duration TokenBucket::take_or_wait(std::uint32_t tokens) {
  const std::int64_t now = since_epoch(clock_.now());
  const std::int64_t cost = interval_ * tokens;
  std::int64_t full_at = full_at_.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t then = std::max(full_at, now) + cost;
    const std::int64_t early = then - interval_ * burst_ - now;
    if (early > 0) return std::chrono::ceil<Duration>(std::chrono::nanoseconds(early));
    if (full_at_.compare_exchange_weak(full_at, then, std::memory_order_relaxed)) {
      return Duration(0);
    }
  }
}

bool TokenBucket::try_take(std::uint32_t tokens) {
  return tokens <= burst_ && waiting_.load(std::memory_order_relaxed) == 0 &&
         take_or_wait(tokens) == Duration(0);
}

Result<void> TokenBucket::check(const TokenWait& wait) const {
  if (wait.tokens <= burst_) return {};
  return fail(ErrorCode::refused,
              std::to_string(wait.tokens) + " tokens of \"" + name() + "\" are never there at once",
              "take " + std::to_string(burst_) + " at most");
}

Result<bool> TokenBucket::take(const TokenWait& wait) {
  if (auto asked = check(wait); !asked) return std::unexpected(asked.error());
  if (try_take(wait.tokens)) return true;
  const Waiting waiting(waiting_);
  const SteadyTime began = clock_.now();
  auto turn = turn_.lock({.timeout = wait.timeout, .stop = wait.stop});
  if (!turn && turn.error().code == ErrorCode::timed_out) return false;
  if (!turn) return std::unexpected(turn.error());
  for (;;) {
    const Duration missing = take_or_wait(wait.tokens);
    if (missing == Duration(0)) return true;
    if (clock_.now() + missing > began + wait.timeout) return false;
    clock_.wait_for(wait.stop, missing);
    if (wait.stop.stop_requested()) return stopped(name());
  }
}

Async<Result<bool>> TokenBucket::take_on(CoroutineLoop& loop, TokenWait wait) {
  if (auto asked = check(wait); !asked) co_return std::unexpected(asked.error());
  if (try_take(wait.tokens)) co_return true;
  const Waiting waiting(waiting_);
  const SteadyTime began = loop.now();
  const LockOptions options{.timeout = wait.timeout, .stop = wait.stop};
  auto turn = co_await turn_.lock_on(loop, options);
  if (!turn && turn.error().code == ErrorCode::timed_out) co_return false;
  if (!turn) co_return std::unexpected(turn.error());
  for (;;) {
    const Duration missing = take_or_wait(wait.tokens);
    if (missing == Duration(0)) co_return true;
    if (loop.now() + missing > began + wait.timeout) co_return false;
    const bool is_over = co_await loop.sleep(missing, wait.stop);
    if (!is_over) co_return stopped(name());
  }
}

}  // namespace almanac
