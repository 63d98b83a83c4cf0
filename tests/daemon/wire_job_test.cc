// Jobs and failures as text, and patterns over them.
#include <almanac/daemon/wire_job.h>
#include <almanac/daemon/wire_sets.h>
#include <almanac/daemon/wire_time.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

WireJob job_of(const std::string& more) {
  static std::string text;
  text = R"({"jid":"job-0001","jobtype":"work","args":[1])" + more + "}";
  auto job = parse_wire_job(text);
  EXPECT_TRUE(job) << job.error().message;
  return job ? *job : WireJob();
}

TEST(WireJobs, AreTasks) {
  const TaskSpec task = task_of(job_of(R"(,"queue":"q","retry":3,"reserve_for":90)"), "text");
  EXPECT_EQ(task.kind, "work");
  EXPECT_EQ(task.queue, "q");
  EXPECT_EQ(task.label, "job-0001");
  EXPECT_EQ(task.payload, "text");
  EXPECT_EQ(task.attempts_max, 4U);
  EXPECT_EQ(task.timeout, 90s);
  EXPECT_EQ(task.tags, std::vector<std::string>{"faktory"});
  EXPECT_FALSE(task.unique);
}

TEST(WireJobs, AreReservedAndTriedWithinBounds) {
  EXPECT_EQ(job_of("").reserved_for(), 1'800s);
  EXPECT_EQ(job_of(R"(,"reserve_for":1)").reserved_for(), 60s);
  EXPECT_EQ(job_of(R"(,"reserve_for":-7)").reserved_for(), 60s);
  EXPECT_EQ(job_of("").attempts(), 26U);
  EXPECT_EQ(job_of(R"(,"retry":0)").attempts(), 1U);
  EXPECT_EQ(job_of(R"(,"retry":-1)").attempts(), 1U);
  EXPECT_EQ(job_of(R"(,"retry":100000)").attempts(), 1'000U);
}

TEST(WireJobs, SayWhatTheyAreUniqueBy) {
  const auto key = [](const std::string& more) { return task_of(job_of(more), "").unique->key; };
  EXPECT_EQ(key(R"(,"custom":{"unique_for":60})"),
            key(R"(,"custom":{"unique_for":9,"unique_until":"start"})"));
  EXPECT_NE(key(R"(,"custom":{"unique_for":60})"),
            key(R"(,"args":[2],"custom":{"unique_for":60})"));
  EXPECT_EQ(key(R"(,"args":[ 2 ],"custom":{"unique_for":60})"),
            key(R"(,"args":[2],"custom":{"unique_for":60})"));
}

TEST(WireFaults, AreCutToWhatIsKept) {
  std::string lines;
  for (int i = 0; i < 60; ++i) lines += (i == 0 ? "" : ",") + ("\"l" + std::to_string(i) + "\"");
  const auto fault =
      parse_wire_fault(R"({"jid":"j","errtype":")" + std::string(150, 'e') + R"(","message":"  )" +
                       std::string(999, 'm') + R"(éé ","backtrace":[)" + lines + "]}");
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->errtype, std::string(100, 'e'));
  EXPECT_EQ(fault->message, std::string(999, 'm'));  // never half a character
  EXPECT_TRUE(fault->backtrace.ends_with(",\"l49\"]"));
}

TEST(WireTime, HasAsManyDigitsAsThereAre) {
  EXPECT_EQ(wire_time(Time(0s)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(wire_time(Time(1'700'000'000s + 250ms)), "2023-11-14T22:13:20.25Z");
  EXPECT_EQ(wire_time(Time(1us)), "1970-01-01T00:00:00.000001Z");
}

TEST(WireGlob, IsRedisOne) {
  EXPECT_TRUE(matches_glob("*b?d*", "abcd bxd"));
  EXPECT_FALSE(matches_glob("b?d", "abxd"));
  EXPECT_TRUE(matches_glob("[a-c]x[^0-9]", "bxz"));
  EXPECT_FALSE(matches_glob("[a-c]x[^0-9]", "bx7"));
  EXPECT_TRUE(matches_glob("[c-a]", "b"));
  EXPECT_TRUE(matches_glob("\\*\\[\\]", "*[]"));
  EXPECT_FALSE(matches_glob("\\*", "x"));
  EXPECT_TRUE(matches_glob("[\\]]", "]"));
  EXPECT_TRUE(matches_glob("a**", "a"));
  EXPECT_TRUE(matches_glob("", ""));
  EXPECT_FALSE(matches_glob("", "a"));
  EXPECT_TRUE(matches_glob("[a", "a"));
  EXPECT_TRUE(matches_glob("a\\", "a\\"));
  // Thousands of stars take no longer than one.
  std::string stars;
  for (int i = 0; i < 1'000; ++i) stars += "*a";
  EXPECT_FALSE(matches_glob(stars + "b", std::string(5'000, 'a')));
}

bool matches_plainly(std::string_view glob, std::string_view text) {
  if (glob.empty()) return text.empty();
  if (glob.front() == '*') {
    return matches_plainly(glob.substr(1), text) ||
           (!text.empty() && matches_plainly(glob, text.substr(1)));
  }
  return !text.empty() && (glob.front() == '?' || glob.front() == text.front()) &&
         matches_plainly(glob.substr(1), text.substr(1));
}

RC_GTEST_PROP(WireGlob, IsThePlainOne, ()) {
  const auto drawn = [](const std::string& of, int most) {
    std::string text;
    for (int left = *rc::gen::inRange(0, most); left > 0; --left) {
      text += of[*rc::gen::inRange<std::size_t>(0, of.size())];
    }
    return text;
  };
  const std::string glob = drawn("ab*?", 8);
  const std::string text = drawn("ab", 9);
  RC_ASSERT(matches_glob(glob, text) == matches_plainly(glob, text));
}

}  // namespace
}  // namespace almanac::test
