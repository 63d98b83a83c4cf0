// Chance that comes from one seed: the same draws on every machine and by every compiler, which the
// distributions of the standard library do not promise.
#pragma once

#include <almanac/log/types.h>

#include <cstdint>

namespace almanac::test {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}

  // SplitMix64 (S. Vigna's public-domain generator).
  std::uint64_t next() {
    std::uint64_t number = state_ += 0x9e3779b97f4a7c15;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
    number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
    return number ^ (number >> 31);
  }
  // 0 … count - 1.
  std::uint64_t below(std::uint64_t count) { return next() % count; }
  bool chance(unsigned percent) { return below(100) < percent; }
  Duration between(Duration low, Duration high) {
    return low + Duration(static_cast<std::int64_t>(
                     below(static_cast<std::uint64_t>((high - low).count()) + 1)));
  }
  template <class List>
  auto& one_of(List& list) {
    return list[below(list.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace almanac::test
