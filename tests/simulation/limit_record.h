// What a limit lets through, by a record of its own: no bucket is folded here. In every stretch of
// time no more tokens are taken than the burst and what comes back meanwhile.
#pragma once

#include <almanac/projections/resource_limits.h>

#include <cstdint>
#include <vector>

namespace almanac::test {

class LimitRecord {
 public:
  // What was taken before counts no more: a bucket never holds more than its burst.
  void set(const LimitSetting& setting, Time at);
  [[nodiscard]] const LimitSetting& setting() const { return setting_; }
  // False when that is more than may be at this rate.
  [[nodiscard]] bool take(std::uint32_t tokens, const LimitSetting& rate, Time at);
  // Nothing can be missing any more.
  [[nodiscard]] bool is_full(Time now) const;

 private:
  struct Taken {
    std::uint32_t tokens = 0;
    Time at;
  };
  LimitSetting setting_;
  Time since_;  // the last change of it, or of what it has
  std::vector<Taken> taken_;
};

}  // namespace almanac::test
