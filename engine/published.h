// What everyone may see: the state that is durable, and the values of inline projections with it.
// Written by the loop, read from any thread.
#pragma once

#include <almanac/engine/inline_projection.h>
#include <almanac/log/error.h>
#include <almanac/projections/state.h>
#include <almanac/snapshots/latest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace almanac {

class Published {
 public:
  using Values = std::vector<Publication::Value>;
  explicit Published(State state, Values values = {})
      : now_(std::make_shared<const Publication>(std::move(state), std::move(values))) {}

  void publish(State state, Values values = {}) {
    auto next = std::make_shared<const Publication>(std::move(state), std::move(values));
    std::shared_ptr<const Publication> before;
    {
      std::lock_guard guard(mutex_);  // so that no wait() falls asleep on it
      before = now_.replace(std::move(next));
    }
    changed_.notify_all();
  }
  // The engine will publish nothing more; `failure` says why when it did not stop by itself.
  void end(std::optional<Error> failure) {
    {
      std::lock_guard guard(mutex_);
      ended_ = true;
      failure_ = std::move(failure);
    }
    changed_.notify_all();
  }

  // Whether what is new finds room on the disk.
  void set_room(bool has_room) { has_room_ = has_room; }
  [[nodiscard]] bool has_room() const { return has_room_; }

  // Takes no lock.
  [[nodiscard]] std::shared_ptr<const Publication> now() const { return now_.take(); }
  [[nodiscard]] std::shared_ptr<const State> state() const {
    auto published = now();
    const State* state = &published->state;
    return {std::move(published), state};
  }
  [[nodiscard]] std::optional<Error> failure() const {
    std::lock_guard guard(mutex_);
    return failure_;
  }

  // Waits until a published state satisfies `wanted`, the engine ends, or the time is up; true
  // when the state does. Every published state is looked at or a later one is.
  bool wait(const std::function<bool(const State&)>& wanted,
            std::optional<std::chrono::steady_clock::time_point> until) const {
    std::unique_lock lock(mutex_);
    while (true) {
      auto seen = now();
      bool ended = ended_;
      lock.unlock();
      if (wanted(seen->state)) return true;
      if (ended) return false;
      lock.lock();
      auto moved = [&] { return now() != seen || ended_; };
      if (!until) {
        changed_.wait(lock, moved);
      } else if (!changed_.wait_until(lock, *until, moved)) {
        return false;
      }
    }
  }
  [[nodiscard]] bool ended() const {
    std::lock_guard guard(mutex_);
    return ended_;
  }
  void wait_for_end() const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Latest<Publication> now_;
  std::atomic<bool> has_room_ = true;
  std::optional<Error> failure_;  // guarded by mutex_
  bool ended_ = false;            // guarded by mutex_
};

}  // namespace almanac
