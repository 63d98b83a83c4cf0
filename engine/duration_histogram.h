// How long many things took, in a fixed space: how many of them fell between which bounds. As
// HdrHistogram does (Gil Tene): from each power of two to the next the bounds are equally far
// apart, so that the error is a share of the duration, whatever that is.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace almanac {

// A value of 10 KiB. Adding is O(1), asking O(bounds).
class DurationHistogram {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  static constexpr std::size_t bounds_in_power = 32;
  // 2^46 ns are 19 hours; what took longer counts as that long.
  static constexpr std::size_t powers = 46;
  static constexpr std::size_t bucket_count = (powers - 4) * bounds_in_power;

  // Durations below 0 count as 0.
  [[nodiscard]] static constexpr std::size_t bucket_of(Nanoseconds took) {
    const auto max = (std::uint64_t{1} << powers) - 1;
    const auto value = took.count() < 0 ? 0 : static_cast<std::uint64_t>(took.count());
    const std::uint64_t bounded = value < max ? value : max;
    const auto width = static_cast<std::size_t>(std::bit_width(bounded));
    if (width <= 5) return static_cast<std::size_t>(bounded);
    const std::size_t shift = width - 6;
    return shift * bounds_in_power + static_cast<std::size_t>(bounded >> shift);
  }
  // The longest that falls into it.
  [[nodiscard]] static constexpr Nanoseconds longest_in(std::size_t bucket) {
    if (bucket < 2 * bounds_in_power) return Nanoseconds(bucket);
    const std::size_t shift = bucket / bounds_in_power - 1;
    const std::uint64_t top = bucket % bounds_in_power + bounds_in_power + 1;
    return Nanoseconds((top << shift) - 1);
  }

  void add(std::size_t bucket, std::uint64_t count) { counts_[bucket] += count; }
  [[nodiscard]] std::uint64_t count() const;
  // At least `share` of them (0 to 1) took no longer. Never less than that was, and at most 3.2 %
  // more. 0 where there are none.
  [[nodiscard]] Nanoseconds quantile(double share) const;

 private:
  std::array<std::uint64_t, bucket_count> counts_{};
};

}  // namespace almanac
