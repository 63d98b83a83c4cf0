// When implementations are probed, by a clock that the test turns.
#include <almanac/engine/limits.h>
#include <almanac/engine/probes.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

struct ProbesTest : ::testing::Test {
  void set(Duration interval) {
    probes.set(
        "ask",
        {{.name = "remote", .probe = [] { return Outcome::success(); }, .probe_interval = interval},
         {.name = "local"}},
        now);
  }
  void answer(bool is_usable) {
    probes.answered({.kind = "ask", .implementation = "remote", .is_usable = is_usable}, now);
  }
  // How long from now until the next one, which is then run.
  Duration until_next() {
    const Duration wait = *probes.next_due() - now;
    now += wait;
    const auto before = ran.size();
    probes.advance(now);
    EXPECT_EQ(ran.size(), before + 1);
    return wait;
  }

  std::vector<std::string> ran;
  std::vector<ReportProbe> reported;
  Probes probes{{.run = [this](ProbeJob job) { ran.push_back(job.implementation); },
                 .report =
                     [this](Command command) {
                       reported.push_back(std::get<ReportProbe>(std::move(command)));
                     }}};
  Time now{1'000'000s};
};

TEST_F(ProbesTest, AreDueAtTheBeginningAndInEveryInterval) {
  EXPECT_FALSE(probes.next_due());
  set(5s);
  EXPECT_EQ(until_next(), 0s);
  EXPECT_EQ(ran, std::vector<std::string>{"remote"}) << "the other has no probe";
  answer(true);
  EXPECT_EQ(until_next(), 5s);
  answer(true);
  EXPECT_EQ(until_next(), 5s);
}

TEST_F(ProbesTest, AreAskedMoreSeldomTheLongerTheySayNo) {
  set(5s);
  EXPECT_EQ(until_next(), 0s);
  for (const Duration wait : {5s, 10s, 20s, 40s, 60s, 60s}) {
    answer(false);
    EXPECT_EQ(until_next(), wait);
  }
  answer(true);
  EXPECT_EQ(until_next(), 5s);
}

TEST_F(ProbesTest, AreDueAtOnceWhenAnAttemptHasFailed) {
  set(5s);
  until_next();
  probes.suspect("ask", "remote", now);
  probes.advance(now);
  EXPECT_EQ(ran.size(), 1U) << "one at a time";
  answer(true);
  now += 1s;
  probes.suspect("ask", "remote", now);
  EXPECT_EQ(until_next(), 0s);
  answer(true);
  probes.suspect("ask", "local", now);
  probes.suspect("ask", "remote", now);
  EXPECT_EQ(until_next(), limits::probe_pause) << "however many fail";
}

TEST_F(ProbesTest, ThatDoNotAnswerSayNoUntilTheyDo) {
  set(5s);
  until_next();
  now += limits::probe_timeout - Duration(1);
  probes.advance(now);
  EXPECT_TRUE(reported.empty());
  EXPECT_EQ(probes.next_due(), now + Duration(1));
  now += Duration(1);
  probes.advance(now);
  ASSERT_EQ(reported.size(), 1U);
  EXPECT_FALSE(reported.front().is_usable);
  probes.answered(reported.front(), now);
  EXPECT_FALSE(probes.next_due()) << "none is run beside one that still runs";
  now += 1h;
  answer(true);
  EXPECT_EQ(until_next(), 5s);
}

TEST_F(ProbesTest, OfAKindThatIsRunInAnotherWayEnd) {
  set(5s);
  probes.set("ask", {{.name = "local"}}, now);
  EXPECT_FALSE(probes.next_due());
  answer(true);
  EXPECT_FALSE(probes.next_due());
}

}  // namespace
}  // namespace almanac::test
