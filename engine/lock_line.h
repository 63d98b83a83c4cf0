// What the locks of a program are made of: units of something with a name, those who hold some,
// and a line of those who wait, served in the order in which they came. A mutex has one unit; of a
// lock for readers and writers a reader takes one and a writer all; a semaphore has so many.
//
// Every wait ends: when it was served, after its time-out, or when its stop token says so; who has
// given up leaves nothing behind. Programs use timed_mutex.h, timed_shared_mutex.h and
// timed_semaphore.h.
#pragma once

#include <almanac/engine/coroutine_loop.h>
#include <almanac/engine/limits.h>
#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <source_location>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace almanac {

class LockAwaiter;
class LockLine;

struct LockOptions {
  Duration timeout = limits::wait_default;  // 0 = not at all, up to limits::wait_max
  std::stop_token stop = {};                // ends the wait at once
};

// Who holds a lock, for people.
struct LockHolder {
  std::string who;  // "thread 4711 (worker)", "a coroutine"
  std::uint32_t units = 1;
  Time since;
  Duration held_for{0};
  std::source_location taken_at;
};

// "thread 4711 (worker) has held it for 12.300 s, since 2026-11-22T10:00:00Z, taken at pay.cc:41"
[[nodiscard]] std::string describe(const LockHolder& holder);

// Holds a lock for as long as it lives; the lock outlives it. On the thread that took it, or where
// the coroutine that did goes on.
class [[nodiscard]] LockHold {
 public:
  LockHold(LockHold&& other) noexcept
      : line_(std::exchange(other.line_, nullptr)), slot_(other.slot_) {}
  LockHold& operator=(LockHold&& other) noexcept {
    LockHold taken(std::move(other));
    std::swap(line_, taken.line_);
    std::swap(slot_, taken.slot_);
    return *this;
  }
  ~LockHold() { release(); }
  // Before its end.
  void release();

 private:
  friend class LockLine;
  LockHold(LockLine& line, std::size_t slot) : line_(&line), slot_(slot) {}

  LockLine* line_;  // none: it has been released
  std::size_t slot_;
};

// Any thread. A free lock costs two short critical sections and a look at the clock; to be served
// behind others costs an allocation and a wake besides.
class LockLine {
 public:
  // Whether a thread that holds some may take more. Where it may not, that is an error at once and
  // no wait for itself; then taking is O(those that hold).
  enum class Again : bool { refused, allowed };

  // `what` is "mutex" and the like. Between 1 and readers_max units.
  LockLine(std::string what, std::string name, std::uint32_t units, Again again);
  // Nobody holds or waits.
  ~LockLine();
  LockLine(const LockLine&) = delete;
  LockLine& operator=(const LockLine&) = delete;

  // Not on a loop's thread, whose coroutines could not go on meanwhile.
  // Errors: timed_out (it says who holds it), stopped, invalid (held by this thread; more units
  // than there are; a time-out below 0 or over wait_max).
  [[nodiscard]] Result<LockHold> take(std::uint32_t units, const LockOptions& options,
                                      std::source_location from);
  // None when it would have to wait.
  [[nodiscard]] std::optional<LockHold> try_take(std::uint32_t units, std::source_location from);
  // take() for a coroutine, with co_await on the loop's thread, where it goes on. Which coroutine
  // holds some is not known: one that waits for itself waits until its time is over.
  [[nodiscard]] LockAwaiter take_on(CoroutineLoop& loop, std::uint32_t units,
                                    const LockOptions& options, std::source_location from);

  [[nodiscard]] const std::string& name() const { return name_; }
  // The oldest first.
  [[nodiscard]] std::vector<LockHolder> holders() const;
  [[nodiscard]] std::size_t waiting() const;

 private:
  friend class LockAwaiter;
  friend class LockHold;

  enum class Phase : unsigned char { new_, waiting, served, timed_out, stopped };
  // One that wants units; lives with who does until that has its answer.
  struct Waiter {
    std::uint32_t units;
    std::source_location from;
    pid_t thread;                // 0 = a coroutine
    std::function<void()> wake;  // under the mutex
    Phase phase = Phase::new_;
    std::size_t slot = 0;  // once served
    std::list<Waiter*>::iterator place = {};
  };
  struct Slot {
    std::uint32_t units = 0;  // 0 = nobody's
    pid_t thread = 0;
    SteadyTime since;
    std::source_location from;
  };

  [[nodiscard]] Result<void> check(std::uint32_t units, const LockOptions& options) const;
  // Puts it in the line unless it is served at once, which is the answer; an error when it would
  // wait for itself.
  [[nodiscard]] Result<bool> enter(Waiter& waiter);
  // It waits no longer, unless it has been served already.
  void leave(Waiter& waiter, Phase phase);
  [[nodiscard]] Result<LockHold> outcome(const Waiter& waiter, Duration timeout);
  void release(std::size_t slot);

  // Under the mutex.
  [[nodiscard]] const Slot* held_by(pid_t thread) const;
  void serve(Waiter& waiter);
  void serve_next();
  void give_up(Waiter& waiter, Phase phase);

  const std::string what_;
  const std::string name_;
  const std::uint32_t units_;
  const Again again_;

  mutable std::mutex mutex_;  // guards what follows
  std::uint32_t free_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> unused_slots_;
  std::list<Waiter*> line_;
};

// What co_await waits on; gives Result<LockHold>.
class [[nodiscard]] LockAwaiter {
 public:
  LockAwaiter(LockLine& line, CoroutineLoop& loop, std::uint32_t units, LockOptions options,
              std::source_location from);

  [[nodiscard]] bool await_ready();
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> coroutine);
  [[nodiscard]] Result<LockHold> await_resume();

 private:
  struct GiveUp {
    LockAwaiter* awaiter;
    LockLine::Phase phase;
    void operator()() const { awaiter->line_.leave(awaiter->waiter_, phase); }
  };

  LockLine& line_;
  CoroutineLoop& loop_;
  LockOptions options_;
  LockLine::Waiter waiter_;
  Result<bool> asked_ = false;  // whether it was served at once
  std::optional<CoroutineLoop::Alarm> alarm_;
  std::optional<std::stop_callback<GiveUp>> on_stop_;
};

}  // namespace almanac
