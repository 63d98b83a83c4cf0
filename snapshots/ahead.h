// Values made one after the other on a thread of their own, some of them ahead of who takes them.
#pragma once

#include <almanac/log/error.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

namespace almanac {

// Owned by who takes them; one thread calls.
template <class Value>
class Ahead {
 public:
  // The next value; none behind the last. Not called again after that or after an error.
  using Make = std::function<Result<std::optional<Value>>()>;

  // Begins to make them: what `make` uses must live as long. `count_max` of them wait at most.
  Ahead(Make make, std::size_t count_max)
      : make_(std::move(make)),
        count_max_(count_max),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}
  // Waits for one value at most.
  ~Ahead() = default;
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  // What `make` answered; not asked again after the last value or an error.
  [[nodiscard]] Result<std::optional<Value>> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !made_.empty(); });
    auto value = std::move(made_.front());
    made_.pop_front();
    changed_.notify_one();
    return value;
  }

 private:
  void run(const std::stop_token& stop) {
    for (bool is_last = false; !is_last;) {
      auto value = make_();
      is_last = !value || !*value;
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return made_.size() < count_max_; })) return;
      made_.push_back(std::move(value));
      changed_.notify_one();
      if (stop.stop_requested()) return;
    }
  }

  const Make make_;
  const std::size_t count_max_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Result<std::optional<Value>>> made_;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace almanac
