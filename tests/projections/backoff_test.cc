#include <almanac/engine/limits.h>
#include <almanac/projections/backoff.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

namespace almanac::test {
namespace {

RC_GTEST_PROP(Backoff, LiesBetweenHalfAndAllOfTheDoubledWait, ()) {
  auto micros = rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000);
  Backoff backoff{Duration(*micros), Duration(*micros)};
  auto failures = *rc::gen::inRange<std::uint32_t>(1, 1001);
  auto whole = static_cast<double>(backoff.initial.count());
  for (std::uint32_t i = 1; i < failures && i < 60; ++i) whole *= 2;
  whole = std::min(whole, static_cast<double>(backoff.max.count()));
  auto delay = retry_delay(backoff, {.seed = *rc::gen::arbitrary<std::uint64_t>(),
                                     .id = TaskId(*rc::gen::arbitrary<std::uint64_t>()),
                                     .failures = failures});
  RC_ASSERT(static_cast<double>(delay.count()) <= whole);
  RC_ASSERT(static_cast<double>(delay.count()) >= std::floor(whole / 2));
}

TEST(Backoff, NeverOverflows) {
  auto longest = limits::duration_max;
  for (std::uint32_t failures : {1U, 40U, 41U, 64U, 1000U}) {
    auto delay = retry_delay({longest, longest}, {.failures = failures});
    EXPECT_GE(delay, longest / 2);
    EXPECT_LE(delay, longest);
    EXPECT_EQ(retry_delay({Duration(0), Duration(0)}, {.failures = failures}), Duration(0));
  }
}

TEST(Backoff, IsDrawnFromSeedTaskAndFailuresAlone) {
  Backoff backoff{std::chrono::hours(1), std::chrono::hours(1)};
  RetryDraw draw{.seed = 1, .id = TaskId(1), .failures = 3};
  EXPECT_EQ(retry_delay(backoff, draw), retry_delay(backoff, draw));
  std::set<Duration> drawn;
  for (std::uint64_t seed : {1U, 2U}) {
    for (std::uint64_t id : {1U, 2U}) {
      for (std::uint32_t failures : {3U, 4U}) {
        drawn.insert(retry_delay(backoff, {.seed = seed, .id = TaskId(id), .failures = failures}));
      }
    }
  }
  EXPECT_EQ(drawn.size(), 8U);
}

TEST(Backoff, SpreadsTasksThatFailTogether) {
  Backoff backoff{std::chrono::seconds(1), std::chrono::seconds(1)};
  std::set<Duration> drawn;
  for (std::uint64_t id = 1; id <= 1000; ++id)
    drawn.insert(retry_delay(backoff, {.seed = 7, .id = TaskId(id)}));
  EXPECT_GT(drawn.size(), 990U);
  EXPECT_LT(*drawn.begin(), std::chrono::milliseconds(510));
  EXPECT_GT(*drawn.rbegin(), std::chrono::milliseconds(990));
}

TEST(RetryPolicy, GrowsAndIsDrawnOnlyWhereItSaysSo) {
  const Backoff backoff{std::chrono::seconds(10), std::chrono::seconds(25)};
  const auto delay = [&](RetryPolicy policy, std::uint64_t seed, std::uint32_t failures) {
    return retry_delay(backoff,
                       {.policy = policy, .seed = seed, .id = TaskId(1), .failures = failures});
  };
  for (std::uint64_t seed = 1; seed < 50; ++seed) {
    EXPECT_EQ(delay(RetryPolicy::fixed, seed, 1), backoff.initial);
    EXPECT_EQ(delay(RetryPolicy::fixed, seed, 9), backoff.initial);
    EXPECT_EQ(delay(RetryPolicy::exponential, seed, 1), backoff.initial);
    EXPECT_EQ(delay(RetryPolicy::exponential, seed, 2), std::chrono::seconds(20));
    EXPECT_EQ(delay(RetryPolicy::exponential, seed, 3), backoff.max);
    EXPECT_LE(delay(RetryPolicy::fixed_jitter, seed, 9), backoff.initial);
    EXPECT_GE(delay(RetryPolicy::fixed_jitter, seed, 9), backoff.initial / 2);
  }
  EXPECT_NE(delay(RetryPolicy::fixed_jitter, 1, 2), delay(RetryPolicy::fixed_jitter, 2, 2));
}

}  // namespace
}  // namespace almanac::test
