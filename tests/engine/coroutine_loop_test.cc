#include <almanac/engine/coroutine_loop.h>
#include <almanac/log/log.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/manual_steady_clock.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

Async<int> twice(int number) { co_return 2 * number; }
Async<int> refuse() {
  throw std::runtime_error("not today");
  co_return 0;
}

TEST(Async, AnswersAndThrowsToWhoAwaitsIt) {
  CoroutineLoop loop;
  int answer = 0;
  std::string thrown;
  const auto ask = [&]() -> Async<void> {
    answer = co_await twice(co_await twice(10));
    try {
      answer = co_await refuse();
    } catch (const std::runtime_error& error) {
      thrown = error.what();
    }
  };
  loop.start(ask());
  EXPECT_EQ(answer, 0);  // it has not begun
  loop.run();
  EXPECT_EQ(answer, 40);
  EXPECT_EQ(thrown, "not today");
}

TEST(CoroutineLoop, WakesThoseThatSleepInTheOrderOfTheirTimes) {
  ManualSteadyClock clock;
  CoroutineLoop loop([&] { return clock.now(); });
  std::vector<int> woken;
  const auto sleep = [&](int seconds) -> Async<void> {
    EXPECT_TRUE(co_await loop.sleep(seconds * 1s));
    woken.push_back(seconds);
  };
  for (const int seconds : {3, 1, 2}) loop.start(sleep(seconds));
  loop.run_ready();
  clock.advance(1s);
  loop.run_ready();
  EXPECT_EQ(woken, std::vector{1});
  clock.advance(5s);
  loop.run();
  EXPECT_EQ(woken, (std::vector{1, 2, 3}));
}

TEST(CoroutineLoop, EndsASleepAtOnceWhenToldToStop) {
  CoroutineLoop loop;
  std::stop_source stop;
  int stopped = 0;
  const auto sleep = [&]() -> Async<void> {
    if (!co_await loop.sleep(1h, stop.get_token())) ++stopped;
    if (!co_await loop.sleep(1h, stop.get_token())) ++stopped;  // told before
  };
  for (int i = 0; i < 100; ++i) loop.start(sleep());
  std::jthread stops([&] { stop.request_stop(); });
  loop.run();
  EXPECT_EQ(stopped, 200);
}

TEST(CoroutineLoop, EndsASleepOnceWhenItsTimeAndAStopComeTogether) {
  ManualSteadyClock clock;
  CoroutineLoop loop([&] { return clock.now(); });
  std::stop_source stop;
  std::vector<bool> slept;
  const auto sleep = [&]() -> Async<void> {
    slept.push_back(co_await loop.sleep(1s, stop.get_token()));
    co_await loop.sleep(1s);
    slept.push_back(true);
  };
  loop.start(sleep());
  loop.run_ready();
  stop.request_stop();
  clock.advance(1s);
  loop.run_ready();
  EXPECT_EQ(slept, std::vector{false});
  clock.advance(1s);
  loop.run();
}

TEST(CoroutineLoop, CallsNoAlarmThatHasDied) {
  ManualSteadyClock clock;
  CoroutineLoop loop([&] { return clock.now(); });
  loop.run_ready();  // this thread is the loop's
  int calls = 0;
  {
    const CoroutineLoop::Alarm dies(loop, clock.now() + 1s, [&] { ++calls; });
    const CoroutineLoop::Alarm rings(loop, clock.now(), [&] { ++calls; });
    loop.run_ready();
    EXPECT_EQ(calls, 1);
  }
  clock.advance(1s);
  loop.run_ready();
  EXPECT_EQ(calls, 1);
}

TEST(CoroutineLoop, IsWhereAnAppendToALogGoesOn) {
  TempFolder folder;
  CoroutineLoop loop;
  auto log =
      Log::open(folder.path() / "log", {.resume = [&](auto appends) { loop.resume(appends); }});
  ASSERT_TRUE(log);
  std::size_t appended = 0;
  const auto append = [&]() -> Async<void> {
    const std::vector<Event> one{{.body = CustomEvent{"NoteTaken", as_bytes("here")}}};
    for (int i = 0; i < 10; ++i) {
      const auto at = co_await (*log)->append_async(one);
      EXPECT_EQ(code_of(at), "ok");
      EXPECT_TRUE(loop.is_here());
      ++appended;
    }
  };
  for (int i = 0; i < 4; ++i) loop.start(append());
  loop.run();
  EXPECT_EQ(appended, 40U);
}

}  // namespace
}  // namespace almanac::test
