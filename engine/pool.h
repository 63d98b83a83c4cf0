// A pool of instances of which none may be used by two at once and none is cheap to make: a
// reasoner, a browser, a connection. Usable without the engine.
//
//   auto pool = almanac::Pool<Reasoner>::open({.name = "reasoners"},
//                                             {.create = [] { return Reasoner::start(); }});
//   if (auto reasoner = pool->check_out()) {
//     (*reasoner)->think();
//   }  // given back
//
// A compiled example is examples/pool.cc.
#pragma once

#include <almanac/engine/pool_ledger.h>
#include <almanac/engine/pool_options.h>
#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace almanac {

class InstancePool;

// An instance that is checked out, and the scope of that: given back when it goes. One loan is one
// operation, whose duration is judged. Used by one thread at a time; dies before its pool.
class [[nodiscard]] InstanceLoan {
 public:
  InstanceLoan(InstanceLoan&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)),
        slot_(other.slot_),
        verdict_(std::move(other.verdict_)) {}
  InstanceLoan& operator=(InstanceLoan&&) = delete;
  ~InstanceLoan() { give_back(); }

  // 1, 2, 3 … in the order in which they were made.
  [[nodiscard]] std::uint64_t number() const { return slot_->number; }
  // The operation has failed, and this is what was said. The instance goes if an error rule says
  // so.
  void failed(std::string_view message);
  // The instance is not to be used again, whatever the rules say.
  void discard(std::string_view why);
  // Now rather than at the end of the scope; nothing else may be called after it.
  void give_back();

 protected:
  [[nodiscard]] void* get() const { return slot_->instance.get(); }

 private:
  friend class InstancePool;
  InstanceLoan(InstancePool& pool, PoolSlot& slot) : pool_(&pool), slot_(&slot) {}

  InstancePool* pool_;  // none: it has been given back
  PoolSlot* slot_;
  PoolVerdict verdict_;
};

// The pool without the type of its instances: Pool<T> is the one to use. Any thread may call. A
// check-out and its return take one lock each for a moment and two looks at the clock, some 150 ns
// in all; a wait costs one wake of a thread. Who waits is served in the order of coming.
class InstancePool {
 public:
  // Called on threads of the pool, of which there are up to four, with no lock held; they have to
  // return, since nothing else can end them. An exception is an error with its text.
  struct Calls {
    std::function<Result<std::shared_ptr<void>>()> create;
    std::function<Result<void>(void*)> probe;  // empty = they always work
  };
  // Errors: invalid.
  [[nodiscard]] static Result<std::unique_ptr<InstancePool>> open(PoolOptions options, Calls calls);
  // Destroys the instances. All must have come back, and nobody else may be in a call.
  ~InstancePool();
  InstancePool(const InstancePool&) = delete;
  InstancePool& operator=(const InstancePool&) = delete;

  [[nodiscard]] Result<InstanceLoan> check_out(Duration timeout);
  void check_out(Duration timeout, std::function<void(Result<InstanceLoan>)> done);
  [[nodiscard]] std::optional<InstanceLoan> try_check_out();

  [[nodiscard]] Result<void> warm_up(Duration timeout);
  [[nodiscard]] PoolFigures figures() const;
  void close();

  [[nodiscard]] const PoolOptions& options() const { return options_; }
  void resume(std::coroutine_handle<> handle) const;

 private:
  friend class InstanceLoan;
  struct Rules;
  struct Waiting;
  using Lock = std::unique_lock<std::mutex>;

  InstancePool(PoolOptions options, Calls calls, std::unique_ptr<Rules> rules);
  [[nodiscard]] Result<InstanceLoan> wait_in_line(Lock& lock, SteadyTime began, Duration timeout);
  [[nodiscard]] Result<InstanceLoan> outcome_of(const Waiting& waiting);
  void give_back(PoolSlot& slot, const PoolVerdict& verdict);
  Waiting* hand_over(PoolWaiter* waiter);
  void notify(SteadyTime at);
  [[nodiscard]] bool says_to_retire(std::string_view message) const;
  [[nodiscard]] Error shortage(Duration waited) const;
  [[nodiscard]] Error closed() const;

  // The makers: they create, probe and destroy.
  void make();
  void run(PoolJob job, Lock& lock);
  [[nodiscard]] Result<std::shared_ptr<void>> create() const;
  [[nodiscard]] Result<void> probe(void* instance) const;
  // The teller: it calls those who are told something, and looks at the clock for those who wait
  // without a thread.
  void tell();
  void turn_away_late(SteadyTime at);
  void end(std::condition_variable& waits, bool& is_over);

  const PoolOptions options_;
  const Calls calls_;
  const std::unique_ptr<Rules> rules_;

  mutable std::mutex mutex_;
  PoolLedger ledger_;                             // guarded by mutex_, as are:
  std::deque<std::unique_ptr<Waiting>> to_call_;  // callbacks whose wait is over
  bool are_makers_over_ = false;                  // when there is nothing more to do
  bool is_teller_over_ = false;                   // when there is nothing more to tell
  std::condition_variable jobs_;
  std::condition_variable news_;
  std::condition_variable warmth_;
  std::vector<std::thread> makers_;
  std::thread teller_;
};

// What a pool makes its instances with, and how it asks them whether they work: once before the
// first use, and while nobody uses them. See InstancePool::Calls.
template <class T>
struct PoolFactory {
  std::function<Result<std::unique_ptr<T>>()> create;
  std::function<Result<void>(T&)> probe = {};
};

template <class T>
class [[nodiscard]] PoolLoan : public InstanceLoan {
 public:
  explicit PoolLoan(InstanceLoan loan) : InstanceLoan(std::move(loan)) {}
  T& operator*() const { return *static_cast<T*>(get()); }
  T* operator->() const { return static_cast<T*>(get()); }
};

template <class T>
[[nodiscard]] Result<PoolLoan<T>> typed(Result<InstanceLoan> loan) {
  if (!loan) return std::unexpected(std::move(loan.error()));
  return PoolLoan<T>(std::move(*loan));
}

// What `co_await pool.check_out_async()` waits on; awaited at once. Part of the coroutine's frame.
template <class T>
class [[nodiscard]] PoolAwaiter {
 public:
  PoolAwaiter(InstancePool& pool, Duration timeout) : pool_(pool), timeout_(timeout) {}

  [[nodiscard]] bool await_ready() {
    if (auto loan = pool_.try_check_out()) result_.emplace(PoolLoan<T>(std::move(*loan)));
    return result_.has_value();
  }
  void await_suspend(std::coroutine_handle<> handle) {
    pool_.check_out(timeout_, [this, handle](Result<InstanceLoan> loan) {
      result_.emplace(typed<T>(std::move(loan)));
      pool_.resume(handle);
    });
  }
  [[nodiscard]] Result<PoolLoan<T>> await_resume() { return std::move(*result_); }

 private:
  InstancePool& pool_;
  const Duration timeout_;
  std::optional<Result<PoolLoan<T>>> result_;
};

template <class T>
class Pool {
 public:
  using Loan = PoolLoan<T>;

  // Instances are made in the background from now on, or when they are needed. Errors: invalid.
  [[nodiscard]] static Result<Pool> open(PoolOptions options, PoolFactory<T> factory);

  // Waits until an instance is free, by default for as long as the options say. Errors: busy (all
  // are in use), io (none can be made, and why), both when the time is up; stopped (closed).
  [[nodiscard]] Result<Loan> check_out() { return check_out(pool_->options().timeout); }
  [[nodiscard]] Result<Loan> check_out(Duration timeout) {
    return typed<T>(pool_->check_out(timeout));
  }
  // The same without waiting: `done` is called once, on a thread of the pool; it may not destroy
  // the pool, and what it waits for keeps others waiting.
  void check_out(std::function<void(Result<Loan>)> done) {
    check_out(pool_->options().timeout, std::move(done));
  }
  void check_out(Duration timeout, std::function<void(Result<Loan>)> done) {
    pool_->check_out(timeout, [done = std::move(done)](Result<InstanceLoan> loan) {
      done(typed<T>(std::move(loan)));
    });
  }
  // For coroutines, which go on at once where an instance is free; else see PoolOptions::resume.
  PoolAwaiter<T> check_out_async() { return check_out_async(pool_->options().timeout); }
  PoolAwaiter<T> check_out_async(Duration timeout) { return {*pool_, timeout}; }

  // Calls `operation` with an instance and answers its Result. It has failed when that is an error,
  // or when it throws, which goes on to the caller; the error rules see either.
  template <class Operation>
  auto call(Operation operation) -> std::invoke_result_t<Operation, T&> {
    auto loan = check_out();
    if (!loan) return std::unexpected(std::move(loan.error()));
    try {
      auto result = operation(**loan);
      if (!result) loan->failed(describe(result.error()));
      return result;
    } catch (const std::exception& error) {
      loan->failed(error.what());
      throw;
    } catch (...) {
      loan->failed("an exception without a text");
      throw;
    }
  }

  // Makes all instances of a lazy pool, and waits until they are there: before first use. Errors:
  // those of check_out().
  [[nodiscard]] Result<void> warm_up(Duration timeout) { return pool_->warm_up(timeout); }
  [[nodiscard]] PoolFigures figures() const { return pool_->figures(); }
  // From now on nothing is checked out, and who waits is told `stopped`. What is checked out stays
  // so until it is given back.
  void close() { pool_->close(); }

 private:
  explicit Pool(std::unique_ptr<InstancePool> pool) : pool_(std::move(pool)) {}
  std::unique_ptr<InstancePool> pool_;
};

template <class T>
Result<Pool<T>> Pool<T>::open(PoolOptions options, PoolFactory<T> factory) {
  InstancePool::Calls calls;
  calls.create = [create = std::move(factory.create)]() -> Result<std::shared_ptr<void>> {
    auto made = create();
    if (!made) return std::unexpected(std::move(made.error()));
    return std::shared_ptr<T>(std::move(*made));
  };
  if (factory.probe) {
    calls.probe = [probe = std::move(factory.probe)](void* instance) {
      return probe(*static_cast<T*>(instance));
    };
  }
  auto pool = InstancePool::open(std::move(options), std::move(calls));
  if (!pool) return std::unexpected(std::move(pool.error()));
  return Pool(std::move(*pool));
}

}  // namespace almanac
