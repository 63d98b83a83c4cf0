// Where handlers wait until a test lets them go on, so that a test knows when they run.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stop_token>

namespace almanac::test {

// Any thread. Once open it stays open.
class Gate {
 public:
  // Counts an arrival and waits until the gate is open; false when told to stop first.
  bool pass(const std::stop_token& stop = {}) {
    std::unique_lock lock(mutex_);
    ++arrivals_;
    inside_max_ = std::max(inside_max_, ++inside_);
    changed_.notify_all();
    bool passed = changed_.wait(lock, stop, [this] { return open_; });
    --inside_;
    return passed;
  }
  void wait_for_arrivals(std::size_t arrivals) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrivals_ >= arrivals; });
  }
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] std::size_t arrivals() const {
    std::lock_guard lock(mutex_);
    return arrivals_;
  }
  // The most that ever waited here at once.
  [[nodiscard]] std::size_t inside_max() const {
    std::lock_guard lock(mutex_);
    return inside_max_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t arrivals_ = 0;    // guarded by mutex_
  std::size_t inside_ = 0;      // guarded by mutex_
  std::size_t inside_max_ = 0;  // guarded by mutex_
  bool open_ = false;           // guarded by mutex_
};

}  // namespace almanac::test
