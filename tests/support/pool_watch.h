// The events of a pool as they were told, and a wait for one of them.
#pragma once

#include <almanac/engine/pool_options.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace almanac::test {

// Outlives the pool. Any thread.
class PoolWatch {
 public:
  // For PoolOptions::on_event.
  std::function<void(const PoolEvent&)> observer() {
    return [this](const PoolEvent& event) {
      std::lock_guard guard(mutex_);
      events_.push_back(event);
      changed_.notify_all();
    };
  }
  // Whether there come to be as many of the kind; for a test that fails, not for one that is slow.
  bool sees(PoolEvent::Kind kind, std::size_t times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] {
      return static_cast<std::size_t>(std::ranges::count(events_, kind, &PoolEvent::kind)) >= times;
    });
  }
  [[nodiscard]] std::vector<PoolEvent> events() const {
    std::lock_guard guard(mutex_);
    return events_;
  }
  // What was said of retired instances, in order.
  [[nodiscard]] std::vector<PoolRetirement> retirements() const {
    std::vector<PoolRetirement> reasons;
    for (const PoolEvent& event : events()) {
      if (event.kind == PoolEvent::Kind::retired) reasons.push_back(event.reason);
    }
    return reasons;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<PoolEvent> events_;  // guarded by mutex_
};

}  // namespace almanac::test
