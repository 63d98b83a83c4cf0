// Requirement A8: at most three attempts with growing delay, then automatic fallback; the switch
// takes less than 100 ms; the service stays available.
#include <almanac/tests/support/engine_fixture.h>

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class RequirementA8 : public EngineTest {
 protected:
  // "remote", which does as `is_up` says, and "local", which always works.
  void handle(Implementation remote) {
    remote.name = "remote";
    remote.handler = [this](const Attempt&) {
      ++remote_calls;
      failed_at = steady_clock::now();
      return is_up ? Outcome::success("remote") : Outcome::failure("connection refused");
    };
    const Implementation local{.name = "local", .handler = [this](const Attempt&) {
                                 switched_after = steady_clock::now() - failed_at.load();
                                 return Outcome::success("local");
                               }};
    ASSERT_TRUE(engine->handle("ask", {remote, local}).has_value());
  }
  bool wait_until_usable(bool is_usable) {
    return engine->wait(
        [&](const State& state) {
          const auto first = state.implementations.all.first();
          return first && bool(first->value.left) != is_usable;
        },
        60s);
  }
  std::string result_of_next() { return outcome_at_end(submit({.kind = "ask"})).result; }

  std::atomic<bool> is_up = false;
  std::atomic<int> remote_calls = 0;
  std::atomic<steady_clock::time_point> failed_at;
  std::atomic<steady_clock::duration> switched_after;
};

TEST_F(RequirementA8, ThreeAttemptsWithGrowingDelayThenTheFallback) {
  open_on_manual_clock();
  handle({.attempts = 3});
  const TaskId id = submit({.kind = "ask",
                            .attempts_max = 5,
                            .backoff = {.initial = 10s, .max = 1h},
                            .retry_policy = RetryPolicy::exponential});
  std::vector<Duration> delays;
  for (std::uint32_t failures = 1; failures <= 2; ++failures) {
    wait_for(id, TaskState::delayed);
    ASSERT_EQ(task(id).failures, failures);
    delays.push_back(task(id).run_at - clock.now());
    advance(delays.back());
    ASSERT_TRUE(engine->wait(
        [&](const State& state) {
          const Task& now = *state.tasks.all.find(id);
          return has_ended(now.state) || now.failures > failures;
        },
        60s));
  }
  EXPECT_EQ(delays, (std::vector<Duration>{10s, 20s}));
  EXPECT_EQ(outcome_at_end(id).result, "local");
  EXPECT_EQ(remote_calls, 3);
  EXPECT_LT(switched_after.load(), 100ms);
  EXPECT_EQ(task(id).failures, 2U) << "the third is no failure of the task";
  EXPECT_EQ(history(id),
            "TaskEnqueued TaskStarted TaskAttemptFailed TaskReadied TaskStarted TaskAttemptFailed "
            "TaskReadied TaskStarted TaskFailedOver TaskSucceeded");
}

TEST_F(RequirementA8, TheServiceStaysAvailableAndTheBetterComesBackByItself) {
  open();
  handle(
      {.probe =
           [this] { return is_up ? Outcome::success() : Outcome::failure("connection refused"); },
       .probe_interval = 10ms});
  ASSERT_TRUE(wait_until_usable(false));
  EXPECT_EQ(result_of_next(), "local");
  EXPECT_EQ(remote_calls, 0) << "what cannot be used is not tried";
  is_up = true;
  ASSERT_TRUE(wait_until_usable(true));
  EXPECT_EQ(result_of_next(), "remote");
}

TEST_F(RequirementA8, OneThatTookTooLongIsLeftAndItsLateAnswerRefused) {
  open_on_manual_clock();
  std::binary_semaphore goes_on(0);
  std::binary_semaphore has_gone_on(0);
  const Implementation slow{.name = "slow", .handler = [&](const Attempt&) {
                              goes_on.acquire();
                              has_gone_on.release();
                              return Outcome::success("late");
                            }};
  const Implementation quick{.name = "quick", .handler = [&](const Attempt&) {
                               goes_on.release();
                               has_gone_on.acquire();
                               return Outcome::success("in time");
                             }};
  ASSERT_TRUE(engine->handle("ask", {slow, quick}).has_value());
  const TaskId id = submit({.kind = "ask", .timeout = 1s});
  wait_for(id, TaskState::running);
  advance(2s);
  EXPECT_EQ(outcome_at_end(id).result, "in time");
  EXPECT_EQ(task(id).attempts, 1U);
  EXPECT_EQ(history(id), "TaskEnqueued TaskStarted TaskFailedOver TaskSucceeded");
}

// What was learnt of it is not in memory alone.
TEST_F(RequirementA8, WhatWasLeftIsLeftAfterARestart) {
  open();
  const auto says_no = [] { return Outcome::failure("connection refused"); };
  handle({.probe = says_no});
  ASSERT_TRUE(wait_until_usable(false));
  close();
  open();
  std::binary_semaphore probed(0);
  handle({.probe = [&] {
    probed.acquire();  // so that nothing new is known
    return Outcome::failure("connection refused");
  }});
  EXPECT_EQ(result_of_next(), "local");
  EXPECT_EQ(remote_calls, 0);
  probed.release();
  close();
}

}  // namespace
}  // namespace almanac::test
