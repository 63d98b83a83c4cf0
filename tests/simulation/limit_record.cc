#include <almanac/tests/simulation/limit_record.h>

#include <ranges>

namespace almanac::test {
namespace {

constexpr std::int64_t minute = Duration(std::chrono::minutes(1)).count();

}  // namespace

void LimitRecord::set(const LimitSetting& setting, Time at) {
  setting_ = setting;
  since_ = at;
  taken_.clear();
}

bool LimitRecord::take(std::uint32_t tokens, const LimitSetting& rate, Time at) {
  taken_.push_back({tokens, at});
  since_ = at;
  std::int64_t sum = 0;
  for (const Taken& one : std::views::reverse(taken_)) {
    sum += one.tokens;
    if (sum * minute > rate.burst * minute + rate.per_minute * (at - one.at).count()) return false;
  }
  return true;
}

bool LimitRecord::is_full(Time now) const {
  return (now - since_).count() * setting_.per_minute >= setting_.burst * minute;
}

}  // namespace almanac::test
