// Requirement A2: instances whose operation takes over 30 seconds go; there are temporary ones when
// the pool is empty, and fresh ones after failures; nothing leaks.
#include <almanac/engine/pool.h>
#include <almanac/tests/support/pool_watch.h>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using Kind = PoolEvent::Kind;

struct RequirementA2 : ::testing::Test {
  // Counts itself among those that are alive.
  struct Reasoner {
    explicit Reasoner(std::atomic<int>& all) : alive(all) { ++alive; }
    ~Reasoner() { --alive; }
    std::atomic<int>& alive;
  };

  void open(PoolOptions options) {
    options.on_event = watch.observer();
    pool.emplace(std::move(*Pool<Reasoner>::open(
        std::move(options), {.create = [this] { return std::make_unique<Reasoner>(alive); }})));
  }

  PoolWatch watch;
  std::atomic<int> alive = 0;
  std::optional<Pool<Reasoner>> pool;
};

TEST_F(RequirementA2, SlowIsOverThirtySecondsUnlessSaid) {
  EXPECT_EQ(PoolOptions().slow_after, 30s);
}

TEST_F(RequirementA2, OneThatNeverComesBackIsReplaced) {
  open({.size = 1, .temporary_max = 1, .temporary_after = 1h, .slow_after = 10ms});
  auto hangs = pool->check_out();
  ASSERT_TRUE(watch.sees(Kind::retired));
  EXPECT_EQ(watch.retirements(), std::vector{PoolRetirement::slow});
  auto fresh = pool->check_out();
  ASSERT_TRUE(fresh);
  EXPECT_NE(fresh->number(), hangs->number());
  fresh->give_back();
  hangs->give_back();
  pool.reset();
  EXPECT_EQ(alive, 0);
}

TEST_F(RequirementA2, TemporaryOnesAreMadeWhenAllAreInUseAndAreNotKept) {
  open({.size = 1, .temporary_max = 2, .temporary_after = 1ms, .timeout = 50ms});
  std::vector<PoolLoan<Reasoner>> loans;
  for (int i = 0; i < 3; ++i) loans.push_back(std::move(*pool->check_out(30s)));
  EXPECT_FALSE(pool->check_out()) << "there are bounds";
  EXPECT_EQ(alive, 3);
  loans.clear();
  ASSERT_TRUE(watch.sees(Kind::retired, 2));
  EXPECT_EQ(watch.retirements(), std::vector(2, PoolRetirement::surplus));
  pool.reset();
  EXPECT_EQ(alive, 0);
}

TEST_F(RequirementA2, AFreshOneComesForEachThatFails) {
  open({.size = 2, .error_rules = {{.pattern = "BorrowMutError"}}, .backoff = 1ms});
  for (std::size_t i = 1; i <= 20; ++i) {
    auto loan = pool->check_out();
    ASSERT_TRUE(loan) << describe(loan.error());
    loan->failed("already mutably borrowed: BorrowMutError");
  }
  ASSERT_TRUE(pool->warm_up(30s));
  EXPECT_EQ(pool->figures().idle, 2U);
  EXPECT_EQ(pool->figures().retired_for(PoolRetirement::error), 20U);
  pool.reset();
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace almanac::test
