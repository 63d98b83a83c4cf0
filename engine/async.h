// A coroutine that answers one T. It begins when it is awaited, on the thread of who awaits it, and
// who awaits it goes on where it ends; what it throws is thrown there.
//
//   Async<Result<void>> pay(CoroutineLoop& loop, TimedMutex& account) {
//     auto held = co_await account.lock_on(loop);
//     if (!held) co_return std::unexpected(held.error());
//     …
//   }
//
// Owns its frame: what it was given by reference has to live until it ends. CoroutineLoop::start
// takes one that nobody awaits.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace almanac {

template <class T>
class Async;

namespace detail {

class AsyncPromise {
 public:
  static std::suspend_always initial_suspend() noexcept { return {}; }
  auto final_suspend() noexcept {
    struct GoOn {
      std::coroutine_handle<> awaits;
      static bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<>) const noexcept {
        return awaits;
      }
      static void await_resume() noexcept {}
    };
    return GoOn{awaits_};
  }
  void unhandled_exception() { thrown_ = std::current_exception(); }
  void await_by(std::coroutine_handle<> awaits) { awaits_ = awaits; }

 protected:
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  std::coroutine_handle<> awaits_;
  std::exception_ptr thrown_;
};

template <class T>
class AsyncAnswer : public AsyncPromise {
 public:
  Async<T> get_return_object();
  template <class Value>
  void return_value(Value&& value) {
    answer_.emplace(std::forward<Value>(value));
  }
  T take() {
    rethrow();
    return *std::move(answer_);
  }

 private:
  std::optional<T> answer_;
};

template <>
class AsyncAnswer<void> : public AsyncPromise {
 public:
  Async<void> get_return_object();
  static void return_void() {}
  void take() const { rethrow(); }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Async {
 public:
  using promise_type = detail::AsyncAnswer<T>;

  explicit Async(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  Async(Async&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Async& operator=(Async&&) = delete;
  ~Async() {
    if (coroutine_) coroutine_.destroy();
  }

  static bool await_ready() { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaits) const {
    coroutine_.promise().await_by(awaits);
    return coroutine_;
  }
  T await_resume() const { return coroutine_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> coroutine_;
};

namespace detail {

template <class T>
Async<T> AsyncAnswer<T>::get_return_object() {
  return Async<T>(std::coroutine_handle<AsyncAnswer>::from_promise(*this));
}
inline Async<void> AsyncAnswer<void>::get_return_object() {
  return Async<void>(std::coroutine_handle<AsyncAnswer>::from_promise(*this));
}

}  // namespace detail
}  // namespace almanac
