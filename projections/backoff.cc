#include <almanac/projections/backoff.h>

#include <algorithm>

namespace almanac {
namespace {

// One round of SplitMix64 (S. Vigna's public-domain generator): spreads every bit of its input.
std::uint64_t mix(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

}  // namespace

Duration retry_delay(const Backoff& backoff, const RetryDraw& draw) {
  constexpr std::uint32_t doublings_max = 40;
  const bool grows =
      draw.policy == RetryPolicy::exponential_jitter || draw.policy == RetryPolicy::exponential;
  const bool is_drawn =
      draw.policy == RetryPolicy::exponential_jitter || draw.policy == RetryPolicy::fixed_jitter;
  auto initial = std::min(backoff.initial, backoff.max).count();
  auto doublings = grows ? std::min(draw.failures - 1, doublings_max) : 0;
  auto whole = backoff.max.count();
  if (initial < (whole >> doublings)) whole = initial << doublings;
  if (!is_drawn) return Duration(whole);
  auto half = static_cast<std::uint64_t>(whole) / 2;
  auto drawn = mix(mix(mix(draw.seed) ^ draw.id.value) ^ draw.failures);
  return Duration(whole - static_cast<std::int64_t>(half == 0 ? 0 : drawn % (half + 1)));
}

}  // namespace almanac
