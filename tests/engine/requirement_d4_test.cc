// Requirement D4: a pool is taken from or makes what is taken, takes back, is warmed up, and its
// size is in its figures.
#include <almanac/engine/pool.h>
#include <almanac/tests/support/pool_watch.h>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

struct RequirementD4 : ::testing::Test {
  Pool<int> open(PoolOptions options) {
    options.on_event = watch.observer();
    return std::move(*Pool<int>::open(
        std::move(options), {.create = [this] { return std::make_unique<int>(++made); }}));
  }
  PoolWatch watch;
  std::atomic<int> made = 0;
};

TEST_F(RequirementD4, WhatIsNotThereIsMadeAndWhatIsThereIsTaken) {
  auto pool = open({.size = 3, .is_lazy = true});
  EXPECT_EQ(pool.figures(), PoolFigures{.size = 3});
  auto first = pool.check_out();
  auto second = pool.check_out();
  EXPECT_EQ(made, 2);
  second->give_back();
  auto again = pool.check_out();
  EXPECT_EQ(**again, 2) << "no third one is made";
  EXPECT_EQ(made, 2);
}

TEST_F(RequirementD4, AWarmPoolHasAllItsInstancesBeforeTheFirstUse) {
  auto pool = open({.size = 3, .is_lazy = true});
  ASSERT_TRUE(pool.warm_up(30s));
  EXPECT_EQ(made, 3);
  EXPECT_EQ(pool.figures().idle, 3U);
  EXPECT_EQ(pool.figures().check_outs, 0U);
}

TEST_F(RequirementD4, APoolThatIsNotLazyWarmsUpInTheBackground) {
  auto pool = open({.size = 3});
  ASSERT_TRUE(watch.sees(PoolEvent::Kind::created, 3));
  EXPECT_EQ(pool.figures().idle, 3U);
}

TEST_F(RequirementD4, AWarmUpThatCannotBeSaysWhy) {
  auto pool = std::move(*Pool<int>::open(
      {.size = 2, .is_lazy = true},
      {.create = []() -> Result<std::unique_ptr<int>> { return fail(ErrorCode::io, "no room"); }}));
  const auto warm = pool.warm_up(50ms);
  ASSERT_FALSE(warm);
  EXPECT_NE(warm.error().message.find("no room"), std::string::npos) << warm.error().message;
}

TEST_F(RequirementD4, FiguresSayHowManyThereAreAndWhatTheyDo) {
  auto pool = open({.size = 2, .temporary_max = 1, .temporary_after = 1ms});
  ASSERT_TRUE(pool.warm_up(30s));
  std::vector<PoolLoan<int>> loans;
  for (int i = 0; i < 3; ++i) loans.push_back(std::move(*pool.check_out()));
  PoolFigures figures = pool.figures();
  EXPECT_EQ(figures.size, 2U);
  EXPECT_EQ(figures.in_use, 3U);
  EXPECT_EQ(figures.temporary, 1U);
  EXPECT_EQ(figures.created, 3U);
  EXPECT_EQ(figures.waits, 1U);
  loans.clear();
  figures = pool.figures();
  EXPECT_EQ(figures.in_use, 0U);
  EXPECT_EQ(figures.idle, 2U);
  EXPECT_EQ(figures.check_outs, 3U);
  EXPECT_GT(figures.longest_use, 0ms);
  EXPECT_GE(figures.use, figures.longest_use);
}

}  // namespace
}  // namespace almanac::test
