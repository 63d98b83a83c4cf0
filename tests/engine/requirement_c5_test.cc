// Requirement C5: retry with exponential backoff, a longest delay, chosen errors and callbacks, in
// a synchronous and an asynchronous form and as a scope.
#include <almanac/engine/retry.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/manual_steady_clock.h>

#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

struct Lost : std::runtime_error {
  Lost() : std::runtime_error("the connection is lost") {}
};

// What is tried again, and what was seen of it.
class RequirementC5 : public testing::Test {
 protected:
  RetryOptions options() {
    return {.policy = RetryPolicy::exponential,
            .backoff = {.initial = 1s, .max = 3s},
            .on_retry =
                [this](const RetryNote& note) {
                  delays.push_back(note.delay);
                  told.push_back(std::to_string(note.failures) + " " + note.what);
                },
            .clock = clock.steady()};
  }
  // Fails so often and then answers how often it was called.
  Result<int> work(int fails, ErrorCode code = ErrorCode::busy) {
    if (++calls <= fails) return fail(code, "it is full");
    return calls;
  }

  ManualSteadyClock clock;
  const SteadyTime began = clock.now();
  int calls = 0;
  std::vector<Duration> delays;
  std::vector<std::string> told;
};

TEST_F(RequirementC5, TriesThreeTimesByDefault) {
  EXPECT_EQ(retry(options(), [&] { return work(2); }), 3);
  EXPECT_EQ(told, (std::vector<std::string>{"1 it is full", "2 it is full"}));
  calls = 0;
  EXPECT_EQ(code_of(retry(options(), [&] { return work(3); })), "busy");
  EXPECT_EQ(calls, 3);
}

TEST_F(RequirementC5, WaitsTwiceAsLongEachTimeUpToTheLongestDelay) {
  RetryOptions five = options();
  five.attempts_max = 5;
  EXPECT_EQ(retry(five, [&] { return work(4); }), 5);
  EXPECT_EQ(delays, (std::vector<Duration>{1s, 2s, 3s, 3s}));
  EXPECT_EQ(clock.now() - began, 9s);

  delays.clear();
  calls = 0;
  five.policy = RetryPolicy::fixed;
  EXPECT_EQ(retry(five, [&] { return work(4); }), 5);
  EXPECT_EQ(delays, (std::vector<Duration>{1s, 1s, 1s, 1s}));
}

TEST_F(RequirementC5, JitterIsDrawnBetweenHalfAndAllOfTheDelayFromASeed) {
  RetryOptions drawn = options();
  drawn.policy = RetryPolicy::exponential_jitter;
  const auto of_seed = [&](std::uint64_t seed) {
    delays.clear();
    calls = 0;
    drawn.seed = seed;
    EXPECT_EQ(retry(drawn, [&] { return work(2); }), 3);
    EXPECT_GE(delays[0], 500ms);
    EXPECT_LE(delays[0], 1s);
    EXPECT_GE(delays[1], 1s);
    EXPECT_LE(delays[1], 2s);
    return delays;
  };
  EXPECT_EQ(of_seed(1), of_seed(1));
  EXPECT_NE(of_seed(1), of_seed(2));
  EXPECT_NE(of_seed(0), of_seed(0));
}

TEST_F(RequirementC5, BeginsNoAttemptAfterTheWholeTime) {
  RetryOptions many = options();
  many.attempts_max = 1'000;
  many.time_max = 7s;  // 1 + 2 + 3
  EXPECT_EQ(code_of(retry(many, [&] { return work(1'000); })), "busy");
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(clock.now() - began, 6s);
}

TEST_F(RequirementC5, TriesAgainOnlyWhatIsWorthIt) {
  EXPECT_EQ(code_of(retry(options(), [&] { return work(3, ErrorCode::invalid); })), "invalid");
  EXPECT_EQ(calls, 1);
  RetryOptions chosen = options();
  chosen.retries = on_codes({ErrorCode::invalid, ErrorCode::conflict});
  EXPECT_EQ(retry(chosen, [&] { return work(4, ErrorCode::conflict); }).error().code,
            ErrorCode::conflict);
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(code_of(retry(chosen, [&] { return work(5, ErrorCode::busy); })), "busy");
  EXPECT_EQ(calls, 5);
  EXPECT_EQ(retry(options(), [&] { return ++calls; }), 6);  // it cannot fail
}

TEST_F(RequirementC5, TriesAgainOnChosenExceptions) {
  const auto lose = [&] {
    if (++calls < 3) throw Lost();
  };
  EXPECT_THROW(retry(options(), lose), Lost);
  EXPECT_EQ(calls, 1);
  RetryOptions chosen = options();
  chosen.retries_thrown = on_exceptions<std::bad_alloc, Lost>();
  calls = 0;
  retry(chosen, lose);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(told.back(), "2 the connection is lost");
  EXPECT_THROW(retry(chosen, [] { throw std::logic_error("wrong"); }), std::logic_error);

  EXPECT_TRUE(is_transient(std::bad_alloc()));
  EXPECT_TRUE(is_transient(std::system_error(ECONNRESET, std::generic_category())));
  EXPECT_TRUE(is_transient(std::system_error(ETIMEDOUT, std::system_category())));
  EXPECT_FALSE(is_transient(std::system_error(ENOENT, std::generic_category())));
}

TEST_F(RequirementC5, AStopEndsTheWaitAndThereIsNoOtherAttempt) {
  std::stop_source stop;
  RetryOptions stopped{.backoff = {1h, 1h}, .time_max = 24h, .stop = stop.get_token()};
  std::jthread stops;
  stopped.on_retry = [&](const RetryNote&) { stops = std::jthread([&] { stop.request_stop(); }); };
  EXPECT_EQ(code_of(retry(stopped, [&] { return work(9); })), "busy");
  EXPECT_EQ(calls, 1);
  stopped.on_retry = [](const RetryNote&) { ADD_FAILURE() << "there is no other attempt"; };
  EXPECT_EQ(code_of(retry(stopped, [&] { return work(9); })), "busy");
  EXPECT_EQ(calls, 2);
}

TEST_F(RequirementC5, CoroutinesWaitOnTheirLoop) {
  CoroutineLoop loop([&] { return clock.now(); });
  const auto work_later = [&](int fails) -> Async<Result<int>> {
    co_await loop.sleep(10s);
    co_return work(fails);
  };
  std::vector<std::string> ends;
  const auto run = [&](int fails) -> Async<void> {
    const auto answer = co_await retry_on(loop, options(), [&] { return work_later(fails); });
    ends.emplace_back(code_of(answer));
  };
  loop.start(run(2));
  for (const auto time : {10s, 1s, 10s, 2s, 10s}) {
    EXPECT_TRUE(ends.empty());
    loop.run_ready();
    clock.advance(time);
  }
  loop.run_ready();
  EXPECT_EQ(ends, std::vector<std::string>{"ok"});
  EXPECT_EQ(delays, (std::vector<Duration>{1s, 2s}));
}

TEST_F(RequirementC5, CoroutinesAreStoppedAndThrowWhatWasThrown) {
  CoroutineLoop loop([&] { return clock.now(); });
  std::stop_source stop;
  RetryOptions chosen = options();
  chosen.retries_thrown = on_exceptions<Lost>();
  chosen.stop = stop.get_token();
  const auto lose = [&]() -> Async<int> {
    ++calls;
    throw Lost();
    co_return 0;
  };
  std::string thrown;
  const auto run = [&]() -> Async<void> {
    try {
      co_await retry_on(loop, chosen, lose);
    } catch (const Lost& lost) {
      thrown = lost.what();
    }
  };
  loop.start(run());
  loop.run_ready();
  EXPECT_EQ(calls, 1);
  clock.advance(1s);
  loop.run_ready();
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(thrown, "");
  stop.request_stop();
  loop.run_ready();
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(thrown, "the connection is lost");
}

TEST_F(RequirementC5, AScopeIsEnteredAgainWhileItFails) {
  int answer = 0;
  for (auto attempt : retrying(options())) {
    EXPECT_EQ(int(attempt.number()), calls + 1);
    const auto worked = work(1);
    if (!worked) {
      attempt.failed(worked.error());
      continue;
    }
    answer = *worked;
  }
  EXPECT_EQ(answer, 2);
  EXPECT_EQ(clock.now() - began, 1s);

  calls = 0;
  Retrying in_vain(options());
  for (auto attempt : in_vain) attempt.failed(work(9).error());
  EXPECT_EQ(calls, 3);
  ASSERT_TRUE(in_vain.error());
  EXPECT_EQ(in_vain.error()->code, ErrorCode::busy);

  calls = 0;
  Retrying left(options());
  for (auto attempt : left) {
    const auto worked = work(1);
    if (worked) break;
    attempt.failed(worked.error());
  }
  EXPECT_FALSE(left.error());
}

TEST_F(RequirementC5, TheExampleDoesWhatItSays) {
  ChildProcess program({program_path("example_retry")});
  EXPECT_EQ(program.read_line(), "attempt 1 failed: it has much to do");
  for (const char* line : {"answer 1", "answer 2", "answer 3, at attempt 2"}) {
    EXPECT_EQ(program.read_line(), line);
  }
  EXPECT_EQ(program.read_line(),
            "the model cannot be loaded, because cannot read tiny.bin; fetch it again");
  EXPECT_EQ(program.read_line().substr(0, 23), "{\"code\":\"model_loading\"");
  EXPECT_EQ(program.wait(), 0);
}

}  // namespace
}  // namespace almanac::test
