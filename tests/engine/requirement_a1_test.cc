// Requirement A1: a pool of reasoners, five unless said, each used by one at a time; a check-out
// waits up to 5 seconds, is a scope, and takes less than 5 ms where one is free.
#include <almanac/engine/pool.h>
#include <almanac/tests/support/pool_watch.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct PooledReasoner {};

Pool<PooledReasoner> open_pool(PoolOptions options) {
  return std::move(*Pool<PooledReasoner>::open(
      std::move(options), {.create = [] { return std::make_unique<PooledReasoner>(); }}));
}

TEST(RequirementA1, FiveReasonersAndFiveSecondsUnlessSaid) {
  const PoolOptions options;
  EXPECT_EQ(options.size, 5U);
  EXPECT_EQ(options.timeout, 5s);
  auto pool = open_pool({.temporary_max = 0});
  ASSERT_TRUE(pool.warm_up(30s));
  EXPECT_EQ(pool.figures().idle, 5U);
}

TEST(RequirementA1, NoTwoHaveTheSameOneAtATime) {
  auto pool = open_pool({.temporary_max = 0});
  ASSERT_TRUE(pool.warm_up(30s));
  std::vector<PoolLoan<PooledReasoner>> loans;
  std::vector<const PooledReasoner*> reasoners;
  for (int i = 0; i < 5; ++i) {
    loans.push_back(std::move(*pool.check_out()));
    reasoners.push_back(&*loans.back());
  }
  std::ranges::sort(reasoners);
  EXPECT_EQ(std::ranges::adjacent_find(reasoners), reasoners.end());
  const auto sixth = pool.check_out(1ms);
  ASSERT_FALSE(sixth);
  EXPECT_EQ(sixth.error().code, ErrorCode::busy);
}

TEST(RequirementA1, ACheckOutWaitsNoLongerThanItsTime) {
  auto pool = open_pool({.size = 1, .temporary_max = 0});
  auto loan = pool.check_out();
  const auto began = Clock::now();
  EXPECT_FALSE(pool.check_out(50ms));
  const auto waited = Clock::now() - began;
  EXPECT_GE(waited, 50ms);
  EXPECT_LT(waited, 5s);
  EXPECT_EQ(pool.figures().timeouts, 1U);
}

TEST(RequirementA1, TheScopeGivesBackHoweverItIsLeft) {
  auto pool = open_pool({.size = 1, .temporary_max = 0});
  try {
    auto loan = pool.check_out();
    throw std::runtime_error("in the middle");
  } catch (const std::runtime_error&) {
    EXPECT_EQ(pool.figures().idle, 1U);
  }
  auto loan = pool.check_out();
  { const auto moved = std::move(*loan); }
  EXPECT_EQ(pool.figures().idle, 1U);
}

TEST(RequirementA1, AFreeOneIsThereInUnderFiveMilliseconds) {
  auto pool = open_pool({});
  ASSERT_TRUE(pool.warm_up(30s));
  std::vector<Clock::duration> took;
  for (int i = 0; i < 1'000; ++i) {
    const auto began = Clock::now();
    const auto loan = pool.check_out();
    took.push_back(Clock::now() - began);
  }
  std::ranges::sort(took);
  EXPECT_LT(took[took.size() * 99 / 100], 5ms);
}

}  // namespace
}  // namespace almanac::test
