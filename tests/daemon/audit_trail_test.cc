// What goes on record of requests and refusals, and how much of it.
#include <almanac/daemon/audit_trail.h>
#include <almanac/daemon/limits.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using std::chrono::seconds;

class AuditTrailTest : public ::testing::Test {
 protected:
  AuditNote from(const std::string& remote) {
    return {.door = AuditDoor::http,
            .reason = RefusalReason::no_token,
            .action = "GET /v1/tasks",
            .remote = remote};
  }
  std::uint64_t left_out() const {
    std::uint64_t all = 0;
    for (const AuditNote& note : told) all += note.count;
    return all;
  }

  SteadyTime now = SteadyTime(seconds(1'000));
  std::vector<AuditNote> told;
  AuditTrail trail{
      [this](std::vector<AuditNote> notes) { told.insert(told.end(), notes.begin(), notes.end()); },
      [this] { return now; }};
};

TEST_F(AuditTrailTest, TellsOfARequestAtOnceAndGivesItANumber) {
  const auto one = trail.begin({.principal = "ci", .action = "POST /v1/tasks"});
  const auto two = trail.begin({.principal = "ci", .action = "POST /v1/tasks"});
  EXPECT_NE(one, two);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].request, one);
  EXPECT_FALSE(told[0].reason);
  trail.fail({.request = one, .principal = "ci", .status = 409});
  EXPECT_EQ(told.back().reason, RefusalReason::failed);
  EXPECT_EQ(told.back().request, one);
}

TEST_F(AuditTrailTest, LetsNobodyFillTheLogAndSaysHowManyAreMissing) {
  for (int i = 0; i < 10'000; ++i) trail.refuse(from("10.0.0.1:" + std::to_string(i)));
  EXPECT_EQ(told.size(), static_cast<std::size_t>(limits::refusals_burst));
  trail.refuse(from("10.0.0.2:1"));
  EXPECT_EQ(told.size(), static_cast<std::size_t>(limits::refusals_burst) + 1) << "who is another";
  now += seconds(1);
  trail.refuse(from("10.0.0.1:1"));
  trail.refuse(from("10.0.0.1:2"));
  EXPECT_EQ(told.size(), static_cast<std::size_t>(limits::refusals_burst) + 2);
  EXPECT_EQ(told.back().count, 10'000 - static_cast<std::uint64_t>(limits::refusals_burst));
  trail.flush();
  EXPECT_EQ(told.size() + left_out(), 10'003U) << "none is forgotten";
}

TEST_F(AuditTrailTest, LetsManySourcesTogetherNotFillItEither) {
  for (int i = 0; i < 5'000; ++i) trail.refuse(from("10.0." + std::to_string(i) + ":1"));
  EXPECT_EQ(told.size(), static_cast<std::size_t>(limits::all_refusals_burst));
  for (int i = 0; i < 20; ++i) trail.flush();
  EXPECT_EQ(told.size() + left_out(), 5'000U);
  EXPECT_LE(told.size(), limits::all_refusals_burst + limits::refusal_sources_max + 1);
}

TEST_F(AuditTrailTest, TellsOfAQuietSourceAMinuteLater) {
  for (int i = 0; i < 50; ++i) trail.refuse(from("10.0.0.1:1"));
  told.clear();
  now += seconds(61);
  trail.begin({.principal = "ci"});
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].remote, "10.0.0.1:1");
  EXPECT_EQ(told[0].count + 1, 50 - static_cast<std::uint64_t>(limits::refusals_burst));
}

TEST_F(AuditTrailTest, CountsWhatWorkersAskForAllTheTime) {
  const AuditNote beat{.principal = "worker", .action = "POST /v1/leases/heartbeat"};
  for (int i = 0; i < 100; ++i) trail.count(beat);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].count, 1U);
  now += seconds(61);
  trail.count(beat);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].count, 99U);
  trail.flush();
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[2].count, 1U);
  now += seconds(200);
  trail.flush();
  trail.count(beat);
  ASSERT_EQ(told.size(), 4U) << "who comes again after a while is on record at once";
}

TEST_F(AuditTrailTest, CutsTextsWhereACharacterEnds) {
  std::string text(limits::audit_text_bytes_max - 1, 'a');
  trail.begin({.principal = std::string(1'000, 'p'), .action = text + "ö", .subject = text + "b"});
  EXPECT_EQ(told[0].action, text);
  EXPECT_EQ(told[0].subject, text + "b");
  EXPECT_EQ(told[0].principal.size(), limits::name_bytes_max);
}

TEST(AuditSource, IsTheAddressWithoutItsPort) {
  EXPECT_EQ(source_in("127.0.0.1:4711"), "127.0.0.1");
  EXPECT_EQ(source_in("[::1]:4711"), "[::1]");
  EXPECT_EQ(source_in("uid 1000"), "uid 1000");
}

}  // namespace
}  // namespace almanac::test
