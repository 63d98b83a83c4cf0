// Where coroutines go on, and who wakes those that wait for a time: one thread of the program's
// own.
//
//   CoroutineLoop loop;
//   loop.start(pay(loop, account));
//   loop.run();  // until all that were started have ended
//
// Coroutines that append to a log go on here as well:
// LogOptions{.resume = [&](auto coroutines) { loop.resume(coroutines); }}.
#pragma once

#include <almanac/engine/async.h>
#include <almanac/engine/steady_clock.h>

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

namespace almanac {

// The loop's thread is the one that called run() or run_ready() last. A coroutine begins there, and
// goes on there whatever thread has ended its wait. Waits are made on the loop's thread alone; who
// waits is ended by its stop token, never by destroying its frame. The loop outlives them all.
class CoroutineLoop {
 public:
  explicit CoroutineLoop(std::function<SteadyTime()> now = steady_time);
  // Stops the program while a coroutine that was started has not ended.
  ~CoroutineLoop();
  CoroutineLoop(const CoroutineLoop&) = delete;
  CoroutineLoop& operator=(const CoroutineLoop&) = delete;

  // Any thread. They go on in this order, never within the call.
  void resume(std::span<const std::coroutine_handle<>> coroutines);
  void resume(std::coroutine_handle<> coroutine) { resume(std::span(&coroutine, 1)); }
  // Any thread. What it throws ends the process.
  void start(Async<void> coroutine);

  // Returns when all that were started have ended.
  void run();
  // Goes on with those that can and returns when all others wait.
  void run_ready();

  [[nodiscard]] SteadyTime now() const { return now_(); }
  [[nodiscard]] bool is_here() const { return here_ == std::this_thread::get_id(); }

  class Sleep;
  // co_await: whether the time was over, not told to stop before.
  [[nodiscard]] Sleep sleep(Duration time, std::stop_token stop = {});

  // Calls `due` once on the loop's thread when the time has come, unless it dies before. Made and
  // destroyed there.
  class Alarm {
   public:
    Alarm(CoroutineLoop& loop, SteadyTime at, std::function<void()> due);
    ~Alarm();
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

   private:
    friend class CoroutineLoop;
    CoroutineLoop& loop_;
    std::function<void()> due_;
    std::optional<std::multimap<SteadyTime, Alarm*>::iterator> place_;  // until it is called
  };

 private:
  void ring();

  const std::function<SteadyTime()> now_;
  std::atomic<std::thread::id> here_;
  std::multimap<SteadyTime, Alarm*> alarms_;  // the loop's thread alone

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<std::coroutine_handle<>> ready_;
  std::size_t started_ = 0;  // and have not ended
};

class [[nodiscard]] CoroutineLoop::Sleep {
 public:
  Sleep(CoroutineLoop& loop, Duration time, std::stop_token stop)
      : loop_(loop), time_(time), stop_(std::move(stop)) {}

  static bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> coroutine);
  bool await_resume();

 private:
  struct End {
    Sleep* sleep;
    bool stopped;
    void operator()() const { sleep->end(stopped); }
  };
  void end(bool stopped);

  CoroutineLoop& loop_;
  Duration time_;
  std::stop_token stop_;
  std::coroutine_handle<> coroutine_;
  std::atomic<bool> is_over_ = false;
  bool was_stopped_ = false;
  std::optional<Alarm> alarm_;
  std::optional<std::stop_callback<End>> on_stop_;
};

inline CoroutineLoop::Sleep CoroutineLoop::sleep(Duration time, std::stop_token stop) {
  return {*this, time, std::move(stop)};
}

}  // namespace almanac
