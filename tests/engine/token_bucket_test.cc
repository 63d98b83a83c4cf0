#include <almanac/engine/token_bucket.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/manual_steady_clock.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

// Counts whole tokens as they come back.
class NaiveBucket {
 public:
  NaiveBucket(TokenRate rate, SteadyTime now)
      : rate_(rate), token_(Duration(60s) / rate.per_minute), there_(rate.burst), last_(now) {}
  bool try_take(std::uint32_t tokens, SteadyTime now) {
    for (; last_ + token_ <= now; last_ += token_) there_ = std::min(there_ + 1, rate_.burst);
    if (there_ == rate_.burst) last_ = now;  // a full bucket has begun no token
    if (tokens > there_) return false;
    there_ -= tokens;
    return true;
  }

 private:
  TokenRate rate_;
  Duration token_;
  std::uint32_t there_;
  SteadyTime last_;
};

RC_GTEST_PROP(TokenBucket, GivesWhatANaiveOneDoes, ()) {
  const TokenRate rate{.per_minute = *rc::gen::element(1U, 6U, 60U, 1'000U),
                       .burst = *rc::gen::inRange(1U, 10U)};
  ManualSteadyClock clock;
  TokenBucket bucket("search", rate, clock.steady());
  NaiveBucket naive(rate, clock.now());
  for (int i = 0; i < 100; ++i) {
    clock.advance(Duration(60s) / rate.per_minute * *rc::gen::inRange(0, 5) / 2);
    const auto tokens = *rc::gen::inRange(1U, rate.burst + 2);
    RC_ASSERT(bucket.try_take(tokens) == naive.try_take(tokens, clock.now()));
  }
}

TEST(TokenBucket, GivesNoTokenTwice) {
  ManualSteadyClock clock;
  TokenBucket bucket("search", {.per_minute = 60, .burst = 300'000}, clock.steady());
  std::atomic<int> taken = 0;
  std::latch together(4);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      int mine = 0;
      together.arrive_and_wait();
      for (int i = 0; i < 200'000; ++i) mine += bucket.try_take() ? 1 : 0;
      taken += mine;
    });
  }
  threads.clear();
  EXPECT_EQ(taken, 300'000);
}

TEST(TokenBucket, WaitsForTokensAndForNoneThatComeTooLate) {
  ManualSteadyClock clock;
  TokenBucket bucket("search", {.per_minute = 60, .burst = 2}, clock.steady());
  EXPECT_TRUE(*bucket.take({.tokens = 2}));
  const SteadyTime began = clock.now();
  EXPECT_FALSE(*bucket.take({.tokens = 2, .timeout = 2s - 1us}));
  EXPECT_EQ(clock.now(), began);  // known at once
  EXPECT_TRUE(*bucket.take({.tokens = 2, .timeout = 2s}));
  EXPECT_EQ(clock.now(), began + 2s);
  EXPECT_FALSE(bucket.try_take());
  EXPECT_EQ(code_of(bucket.take({.tokens = 3})), "refused");
  EXPECT_FALSE(bucket.try_take(3));
  EXPECT_EQ(code_of(bucket.take({.timeout = Duration::max()})), "invalid");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(code_of(bucket.take({.stop = stop.get_token()})), "stopped");
}

TEST(TokenBucket, IsEmptyForThoseThatDoNotWaitWhileOthersDo) {
  ManualSteadyClock clock;
  CoroutineLoop loop([&] { return clock.now(); });
  TokenBucket bucket("search", {.per_minute = 60, .burst = 3}, clock.steady());
  EXPECT_TRUE(bucket.try_take(3));
  std::vector<std::string> story;
  std::stop_source stop;
  const auto take = [&](const char* who, TokenWait wait) -> Async<void> {
    const auto taken = co_await bucket.take_on(loop, wait);
    EXPECT_TRUE(loop.is_here());
    story.push_back(std::string(who) + (taken && *taken ? " has" : " has not"));
  };
  loop.start(take("many", {.tokens = 3, .stop = stop.get_token()}));
  loop.start(take("late", {.tokens = 1, .timeout = 1s}));
  loop.start(take("few", {.tokens = 1}));
  loop.run_ready();
  clock.advance(2s);
  EXPECT_FALSE(bucket.try_take());  // there are two, for the one that waits for three
  loop.run_ready();
  EXPECT_EQ(story, std::vector<std::string>{"late has not"});
  stop.request_stop();
  loop.run_ready();
  EXPECT_EQ(story, (std::vector<std::string>{"late has not", "many has not", "few has"}));
  EXPECT_TRUE(bucket.try_take());  // nothing is kept for who has gone
  EXPECT_FALSE(bucket.try_take());
}

TEST(TokenBucket, AThreadThatWaitsGoesOnAtOnceWhenToldToStop) {
  TokenBucket bucket("search", {.per_minute = 1, .burst = 1});
  EXPECT_TRUE(bucket.try_take());
  std::stop_source stop;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 2; ++t) {  // one for its tokens, one for its turn
    threads.emplace_back([&] {
      const TokenWait wait{.timeout = 1h, .stop = stop.get_token()};
      EXPECT_EQ(code_of(bucket.take(wait)), "stopped");
    });
  }
  stop.request_stop();
}

}  // namespace
}  // namespace almanac::test
