#include <almanac/engine/coroutine_loop.h>

#include <almanac/engine/limits.h>
#include <almanac/log/error.h>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

// Begins when it is resumed, and takes itself away at its end.
struct Unawaited {
  struct promise_type {
    Unawaited get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    static std::suspend_always initial_suspend() noexcept { return {}; }
    static std::suspend_never final_suspend() noexcept { return {}; }
    static void return_void() {}
    [[noreturn]] static void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<> coroutine;
};

template <class AtEnd>
Unawaited run_to_end(Async<void> coroutine, AtEnd at_end) {
  co_await coroutine;
  at_end();
}

}  // namespace

CoroutineLoop::CoroutineLoop(std::function<SteadyTime()> now) : now_(std::move(now)) {}

CoroutineLoop::~CoroutineLoop() { ALMANAC_CHECK(started_ == 0); }

void CoroutineLoop::resume(std::span<const std::coroutine_handle<>> coroutines) {
  std::lock_guard guard(mutex_);
  ready_.insert(ready_.end(), coroutines.begin(), coroutines.end());
  changed_.notify_one();  // under the lock: what it wakes may end the loop
}

void CoroutineLoop::start(Async<void> coroutine) {
  const auto at_end = [this] {
    std::lock_guard guard(mutex_);
    --started_;
    changed_.notify_one();
  };
  const auto started = run_to_end(std::move(coroutine), at_end).coroutine;
  {
    std::lock_guard guard(mutex_);
    ++started_;
  }
  resume(started);
}

void CoroutineLoop::run() {
  for (;;) {
    run_ready();
    std::unique_lock lock(mutex_);
    const auto may_go_on = [this] { return !ready_.empty() || started_ == 0; };
    // Every wait of ours ends by an alarm at the latest; an append ends with its commit.
    if (alarms_.empty()) {
      changed_.wait(lock, may_go_on);
    } else {
      changed_.wait_for(lock, alarms_.begin()->first - now(), may_go_on);
    }
    if (started_ == 0) return;
  }
}

void CoroutineLoop::run_ready() {
  here_ = std::this_thread::get_id();
  for (;;) {
    ring();
    std::vector<std::coroutine_handle<>> ready;
    {
      std::lock_guard guard(mutex_);
      ready.swap(ready_);
    }
    if (ready.empty()) return;
    for (std::coroutine_handle<> coroutine : ready) coroutine.resume();
  }
}

void CoroutineLoop::ring() {
  if (alarms_.empty()) return;
  const SteadyTime now = now_();
  while (!alarms_.empty() && alarms_.begin()->first <= now) {
    Alarm& alarm = *alarms_.begin()->second;
    alarms_.erase(*std::exchange(alarm.place_, std::nullopt));
    alarm.due_();
  }
}

CoroutineLoop::Alarm::Alarm(CoroutineLoop& loop, SteadyTime at, std::function<void()> due)
    : loop_(loop), due_(std::move(due)) {
  ALMANAC_CHECK(loop.is_here());
  place_ = loop.alarms_.emplace(at, this);
}

CoroutineLoop::Alarm::~Alarm() {
  ALMANAC_CHECK(loop_.is_here());
  if (place_) loop_.alarms_.erase(*place_);
}

void CoroutineLoop::Sleep::await_suspend(std::coroutine_handle<> coroutine) {
  coroutine_ = coroutine;
  alarm_.emplace(loop_, loop_.now() + std::min(time_, limits::duration_max), End{this, false});
  on_stop_.emplace(stop_, End{this, true});
}

// The alarm and the stop may come at once, from two threads: it goes on once.
void CoroutineLoop::Sleep::end(bool stopped) {
  if (is_over_.exchange(true)) return;
  was_stopped_ = stopped;
  loop_.resume(coroutine_);
}

bool CoroutineLoop::Sleep::await_resume() {
  on_stop_.reset();
  alarm_.reset();
  return !was_stopped_;
}

}  // namespace almanac
