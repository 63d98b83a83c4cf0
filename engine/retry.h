// Trying something again that fails for a while.
//
//   auto page = retry({.attempts_max = 5}, [&] { return fetch(url); });              // waits here
//   auto page = co_await retry_on(loop, {}, [&] { return fetch_async(loop, url); });  // or there
//
//   for (auto attempt : retrying({})) {  // as a scope: an attempt that says nothing has worked
//     auto page = fetch(url);
//     if (!page) attempt.failed(page.error());
//   }
//
// An operation fails when it answers a Result<T> with an error or throws a std::exception. What the
// last attempt came to is the answer: it is returned, with the number of attempts in the context of
// its error, or goes on to the caller. The first attempt is always made; told to stop, there is no
// other one, and a wait between two ends at once.
#pragma once

#include <almanac/engine/async.h>
#include <almanac/engine/coroutine_loop.h>
#include <almanac/engine/steady_clock.h>
#include <almanac/log/error.h>
#include <almanac/projections/backoff.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace almanac {

// Told before the wait for another attempt.
struct RetryNote {
  std::uint32_t failures;   // attempts that have failed
  Duration delay;           // until the next one
  const std::string& what;  // went wrong with the last one
};

// Of exceptions: no memory, and errors of the system that go by: time-outs, lost connections, too
// much at once.
[[nodiscard]] bool is_transient(const std::exception& thrown);

// Its functions do not throw.
struct RetryOptions {
  std::uint32_t attempts_max = 3;  // tries in all
  RetryPolicy policy = RetryPolicy::exponential_jitter;
  Backoff backoff = {.initial = std::chrono::milliseconds(100), .max = std::chrono::seconds(10)};
  // No attempt begins later than that after the first one.
  Duration time_max = std::chrono::minutes(5);
  // What is worth another attempt. See also on_codes() and on_exceptions().
  std::function<bool(const Error&)> retries = &Error::is_recoverable;
  std::function<bool(const std::exception&)> retries_thrown = [](const std::exception& thrown) {
    return is_transient(thrown);
  };
  std::function<void(const RetryNote&)> on_retry = {};
  std::stop_token stop = {};
  std::uint64_t seed = 0;  // of the jitter; 0 = drawn
  SteadyClock clock = {};  // retry_on() has that of its loop
};

// For RetryOptions::retries: these and no others.
[[nodiscard]] std::function<bool(const Error&)> on_codes(std::initializer_list<ErrorCode> codes);
// For RetryOptions::retries_thrown: these, what is derived of them, and no others.
template <std::derived_from<std::exception>... Thrown>
[[nodiscard]] std::function<bool(const std::exception&)> on_exceptions() {
  return [](const std::exception& thrown) {
    return (... || (dynamic_cast<const Thrown*>(&thrown) != nullptr));
  };
}

// Counts the attempts of one operation and says how long to wait before the next. One thread.
class RetryPlan {
 public:
  explicit RetryPlan(RetryOptions options);

  // None: that was the last attempt.
  [[nodiscard]] std::optional<Duration> failed(const Error& error);
  [[nodiscard]] std::optional<Duration> failed(const std::exception& thrown);
  // Waits; false when told to stop.
  [[nodiscard]] bool wait(Duration delay) const;

  [[nodiscard]] const std::stop_token& stop() const { return options_.stop; }
  [[nodiscard]] std::uint32_t failures() const { return failures_; }

 private:
  [[nodiscard]] std::optional<Duration> next(const std::string& what);

  RetryOptions options_;
  SteadyTime began_;
  std::uint32_t failures_ = 0;
};

namespace detail {

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<Result<T>> = true;

// How long until the attempt behind the one that answered this; none = there is none.
template <class Answer>
std::optional<Duration> delay_after(RetryPlan& plan, const Answer& answer) {
  if constexpr (is_result<Answer>) {
    if (!answer) return plan.failed(answer.error());
  }
  return std::nullopt;
}

// Where there was more than one attempt, the error says so.
template <class Answer>
void say_attempts(const RetryPlan& plan, Answer& answer) {
  if constexpr (is_result<Answer>) {
    if (!answer && plan.failures() > 1) {
      answer.error().with("attempts", std::to_string(plan.failures()));
    }
  }
}

}  // namespace detail

// On this thread, waits included.
template <class Operation>
std::invoke_result_t<Operation&> retry(RetryOptions options, Operation operation) {
  RetryPlan plan(std::move(options));
  for (;;) {
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<Operation&>>) {
        return operation();
      } else {
        auto answer = operation();
        const auto delay = detail::delay_after(plan, answer);
        if (delay && plan.wait(*delay)) continue;
        detail::say_attempts(plan, answer);
        return answer;
      }
    } catch (const std::exception& thrown) {
      const auto delay = plan.failed(thrown);
      if (!delay || !plan.wait(*delay)) throw;
    }
  }
}

// `operation` is called for each attempt and answers an Async<T>, T not void. The waits are the
// loop's, which does other things meanwhile.
template <class Operation>
auto retry_on(CoroutineLoop& loop, RetryOptions options, Operation operation)
    -> std::invoke_result_t<Operation&> {
  using Returned = decltype(operation().await_resume());
  options.clock.now = [&loop] { return loop.now(); };
  RetryPlan plan(std::move(options));
  for (;;) {
    std::optional<Returned> answer;
    std::exception_ptr last;
    std::optional<Duration> delay;
    try {
      answer.emplace(co_await operation());
      delay = detail::delay_after(plan, *answer);
    } catch (const std::exception& thrown) {
      delay = plan.failed(thrown);
      last = std::current_exception();
    }
    const bool goes_on = delay && co_await loop.sleep(*delay, plan.stop());
    if (goes_on) continue;
    if (last) std::rethrow_exception(last);
    detail::say_attempts(plan, *answer);
    co_return *std::move(answer);
  }
}

// The scope: attempts of a range-for, which waits between them. One thread.
class Retrying {
 public:
  explicit Retrying(RetryOptions options);
  Retrying(const Retrying&) = delete;
  Retrying& operator=(const Retrying&) = delete;

  // The one that is made; says before its end that it has failed, or has worked.
  class Attempt {
   public:
    [[nodiscard]] std::uint32_t number() const { return of_->plan_.failures() + 1; }
    // At most once.
    void failed(Error error) { of_->failed(std::move(error)); }

   private:
    friend class Retrying;
    explicit Attempt(Retrying& of) : of_(&of) {}
    Retrying* of_;
  };

  struct End {};
  class Iterator {
   public:
    explicit Iterator(Retrying& of) : of_(&of) {}
    Attempt operator*() const { return Attempt(*of_); }
    Iterator& operator++() {
      if (!of_->goes_on()) of_ = nullptr;
      return *this;
    }
    bool operator==(End) const { return of_ == nullptr; }

   private:
    Retrying* of_;  // none: there is no other attempt
  };
  [[nodiscard]] Iterator begin() { return Iterator(*this); }
  [[nodiscard]] static End end() { return {}; }

  // Of the last attempt; none = it has worked, or none was made yet.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  void failed(Error error);
  [[nodiscard]] bool goes_on();

  RetryPlan plan_;
  std::optional<Error> error_;
  bool is_new_ = false;  // the error is of the attempt that is made
};

[[nodiscard]] inline Retrying retrying(RetryOptions options) {
  return Retrying(std::move(options));
}

}  // namespace almanac
