// Row C10: token buckets per minute with burst; try, blocking with time-out, asynchronous; settings
// per service, and a default for services that have none.
#include <almanac/tests/support/engine_fixture.h>

#include <atomic>
#include <future>
#include <thread>

namespace almanac::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RequirementC10 : public EngineTest {
 protected:
  void set(std::string name, LimitSetting setting) {
    ASSERT_TRUE(engine->configure_limit(std::move(name), setting).has_value());
  }
  bool try_take(std::string service, std::uint32_t tokens = 1) {
    const auto taken = engine->try_take(std::move(service), tokens);
    EXPECT_TRUE(taken.has_value());
    return taken.value_or(false);
  }
  std::uint32_t take_all(const std::string& service) {
    std::uint32_t taken = 0;
    while (try_take(service)) ++taken;
    return taken;
  }
  // Asked on this thread, answered on the engine's.
  std::future<Result<bool>> take(std::string service, TakeOptions options) {
    auto answer = std::make_shared<std::promise<Result<bool>>>();
    auto future = answer->get_future();
    engine->take(std::move(service), options,
                 [answer](Result<bool> taken) { answer->set_value(taken); });
    return future;
  }
  static bool is_ready(std::future<Result<bool>>& future) {
    return future.wait_for(seconds(0)) == std::future_status::ready;
  }
};

TEST_F(RequirementC10, EachServiceHasItsSettingItsFamilysOrTheDefault) {
  open_on_manual_clock();
  set("payments", {.per_minute = 600, .burst = 3});
  set("model:*", {.per_minute = 60, .burst = 2});
  EXPECT_EQ(take_all("payments"), 3U);
  EXPECT_EQ(take_all("model:large"), 2U);
  EXPECT_EQ(take_all("model:small"), 2U) << "each has a bucket of its own";
  EXPECT_EQ(take_all("unheard of"), default_rate.burst);
  set("*", {.per_minute = 60, .burst = 5});
  EXPECT_EQ(take_all("heard of"), 5U);
}

TEST_F(RequirementC10, TokensComeBackAtTheRateAndNeverBeyondTheBurst) {
  open_on_manual_clock();
  set("api", {.per_minute = 600, .burst = 4});
  EXPECT_EQ(take_all("api"), 4U);
  advance(milliseconds(99));
  EXPECT_FALSE(try_take("api"));
  advance(milliseconds(1));
  EXPECT_EQ(take_all("api"), 1U) << "one in 100 ms";
  advance(std::chrono::hours(9));
  EXPECT_EQ(take_all("api"), 4U);
}

TEST_F(RequirementC10, BlocksUntilTheTokensAreThere) {
  open();
  set("api", {.per_minute = 6'000, .burst = 1});
  const auto began = system_time();
  EXPECT_TRUE(try_take("api"));
  EXPECT_TRUE(engine->take("api", {.timeout = seconds(30)}).value());
  EXPECT_GE(system_time() - began, milliseconds(10)) << "one in 10 ms";
}

TEST_F(RequirementC10, BlocksNoLongerThanTheTimeOut) {
  open();
  set("api", {.per_minute = 1, .burst = 1});
  EXPECT_TRUE(try_take("api"));
  const auto began = system_time();
  EXPECT_FALSE(engine->take("api", {.timeout = milliseconds(20)}).value());
  EXPECT_GE(system_time() - began, milliseconds(20));
  EXPECT_EQ(engine->state()->limits.buckets.size(), 1U);
}

TEST_F(RequirementC10, AnswersWithoutBlockingAndInTheOrderOfAsking) {
  open_on_manual_clock();
  set("api", {.per_minute = 60, .burst = 3});
  EXPECT_EQ(take_all("api"), 3U);
  auto large = take("api", {.tokens = 3, .timeout = seconds(60)});
  auto small = take("api", {.timeout = seconds(60)});
  advance(seconds(2));
  EXPECT_FALSE(is_ready(large));
  EXPECT_FALSE(is_ready(small)) << "two are there, and are kept for who came first";
  EXPECT_FALSE(try_take("api")) << "who does not wait does not push in either";
  advance(seconds(1));
  EXPECT_TRUE(large.get().value());
  EXPECT_FALSE(is_ready(small));
  advance(seconds(1));
  EXPECT_TRUE(small.get().value());
}

TEST_F(RequirementC10, RefusesAtOnceWhatThereNeverIs) {
  open_on_manual_clock();
  set("api", {.per_minute = 60, .burst = 3});
  const auto taken = engine->take("api", {.tokens = 4});
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().code, ErrorCode::refused);
}

TEST_F(RequirementC10, LetsNobodyWaitForAnEngineThatStops) {
  open_on_manual_clock();
  set("api", {.per_minute = 1, .burst = 1});
  EXPECT_TRUE(try_take("api"));
  auto waiting = take("api", {.timeout = std::chrono::hours(1)});
  turn();
  engine->stop();
  EXPECT_EQ(waiting.get().error().code, ErrorCode::stopped);
}

TEST_F(RequirementC10, KnowsAfterARestartWhatWasTaken) {
  open_on_manual_clock();
  set("api", {.per_minute = 60, .burst = 3});
  EXPECT_EQ(take_all("api"), 3U);
  close();
  open_on_manual_clock();
  EXPECT_FALSE(try_take("api"));
  advance(seconds(1));
  EXPECT_TRUE(try_take("api"));
}

TEST_F(RequirementC10, SharesABucketBetweenThreadsToTheToken) {
  open_on_manual_clock();
  set("api", {.per_minute = 60, .burst = 40});
  std::atomic<std::uint32_t> taken = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int tries = 0; tries < 30; ++tries) taken += try_take("api") ? 1 : 0;
    });
  }
  threads.clear();
  EXPECT_EQ(taken, 40U);
}

TEST_F(RequirementC10, StartsTasksByTheSameBucketAndByATimerAlone) {
  open();
  engine->handle("call", [](const Attempt&) { return Outcome::success(); });
  set("api", {.per_minute = 60'000, .burst = 1});
  std::vector<TaskId> ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back(submit({.kind = "call", .demands = {{"api", 1}}}));
  }
  wait_until_all_ended();
  EXPECT_GE(task(ids.back()).started_at - task(ids.front()).started_at, milliseconds(19));
}

}  // namespace
}  // namespace almanac::test
