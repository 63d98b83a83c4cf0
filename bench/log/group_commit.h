// Group commit for what has none of its own: of the threads that wait, the first leads and takes
// all others with it into one write.
#pragma once

#include <almanac/bench/log/acknowledged.h>
#include <almanac/log/types.h>

#include <functional>
#include <mutex>
#include <span>
#include <vector>

namespace almanac::bench {

class GroupCommit {
 public:
  // Makes a group durable. Called by one thread at a time.
  using Flush = std::function<void(std::span<const Bytes>)>;
  explicit GroupCommit(Flush flush) : flush_(std::move(flush)) {}

  // Returns when `payload` is on disk.
  void append(Bytes payload) {
    std::unique_lock lock(mutex_);
    waiting_.push_back(payload);
    const std::uint32_t mine = ++taken_;
    for (;;) {
      auto done = done_.get();
      if (done >= mine) return;
      if (!leading_) {
        lead(lock);
        return;
      }
      lock.unlock();
      done_.wait_change(done);
      if (done_.get() >= mine) return;  // without the lock, which all others want now
      lock.lock();
    }
  }

 private:
  void lead(std::unique_lock<std::mutex>& lock) {
    leading_ = true;
    group_.swap(waiting_);
    const auto through = taken_;
    lock.unlock();
    flush_(group_);
    lock.lock();
    group_.clear();
    leading_ = false;
    done_.set(through);
  }

  Flush flush_;
  std::mutex mutex_;
  std::vector<Bytes> waiting_;  // guarded by mutex_
  std::uint32_t taken_ = 0;     // guarded by mutex_
  bool leading_ = false;        // guarded by mutex_
  std::vector<Bytes> group_;    // of the leader
  Acknowledged done_;
};

}  // namespace almanac::bench
