// How far a subject is on disk, for threads that wait for it.
#pragma once

#include <atomic>
#include <cstdint>

namespace almanac::bench {

// 32 bits, which the kernel can wait on without a table in between.
class Acknowledged {
 public:
  [[nodiscard]] std::uint32_t get() const { return events_.load(std::memory_order_acquire); }
  void reset(std::uint64_t events) { events_ = static_cast<std::uint32_t>(events); }
  void set(std::uint64_t events) {
    events_.store(static_cast<std::uint32_t>(events), std::memory_order_release);
    events_.notify_all();
  }
  void wait_change(std::uint32_t seen) const { events_.wait(seen, std::memory_order_acquire); }
  // Waits until more than `events` are; answers how many.
  std::uint64_t wait_beyond(std::uint64_t events) const {
    for (auto seen = get();; seen = get()) {
      if (seen > events) return seen;
      wait_change(seen);
    }
  }

 private:
  std::atomic<std::uint32_t> events_{0};
};

}  // namespace almanac::bench
