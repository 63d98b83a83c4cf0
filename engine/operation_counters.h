// How many operations ended, how, and how long they took, counted by many threads without a lock.
#pragma once

#include <almanac/engine/duration_histogram.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace almanac {

// Any thread.
class OperationCounters {
 public:
  OperationCounters() = default;
  ~OperationCounters();
  OperationCounters(const OperationCounters&) = delete;
  OperationCounters& operator=(const OperationCounters&) = delete;

  // Some atomic additions to what this thread has for itself most of the time.
  void count(bool succeeded, std::uint32_t retries, std::chrono::nanoseconds took);

  struct Totals {
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
  };
  [[nodiscard]] Totals totals() const;
  struct Details {
    std::uint64_t retries = 0;
    std::chrono::nanoseconds sum{0};
    std::chrono::nanoseconds longest{0};
    DurationHistogram durations;
  };
  // Some 10 µs.
  [[nodiscard]] Details details() const;

 private:
  struct Shard;
  [[nodiscard]] Shard& own_shard();
  template <class Look>
  void for_each_shard(Look look) const;

  // Each is made for the first thread that needs it.
  std::array<std::atomic<Shard*>, 16> shards_{};
};

}  // namespace almanac
