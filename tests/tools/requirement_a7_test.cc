// Requirement A7, as one types it: the task that should be done next, and statistics of tasks.
// Dependencies and their cycles are with submission_test.cc and the tasks' own tests.
#include <almanac/tests/support/past_commands.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

class RequirementA7 : public PastCommands {
 protected:
  nlohmann::json lines(Words words) {
    words.emplace_back("--json");
    auto all = nlohmann::json::array();
    for (const auto& line : lines_of(output(std::move(words)))) {
      all.push_back(nlohmann::json::parse(line, nullptr, false));
    }
    return all;
  }
  void submit(Words words) {
    words.insert(words.begin(), {"submit", "--dir", "new"});
    words.insert(words.end(), {"--", "true"});
    (void)output(words);
  }
};

TEST_F(RequirementA7, TheNextTaskIsRecommendedWithEachPartOfItsScore) {
  (void)output(
      {"queue", "set", "mail", "--dir", "new", "--policy", "urgency", "--weight", "high=35"});
  submit({"--name", "plain", "-q", "mail"});
  submit({"--name", "close", "-q", "mail", "--deadline", "in 2 hours", "--owner", "ann"});
  submit({"--name", "first", "-q", "mail", "--priority", "4", "--estimate", "1m"});
  const auto all = lines({"recommend", "--dir", "new"});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0]["label"], "first");
  EXPECT_EQ(all[0]["score"], 49);
  EXPECT_EQ(all[0]["factors"].dump(), R"({"high":35,"priority":4,"short":10})");
  EXPECT_EQ(all[1]["label"], "close");
  EXPECT_EQ(all[1]["factors"]["deadline"], 20);
  EXPECT_EQ(all[1]["owner"], "ann");
  EXPECT_EQ(lines({"recommend", "--dir", "new", "--owner", "ann"}).size(), 1U);
  EXPECT_EQ(lines({"recommend", "--dir", "new", "--limit", "2"}).size(), 2U);
  EXPECT_EQ(output({"recommend", "--dir", "new", "--owner", "nobody"}), "no task is ready\n");
  // A moment of the past: the last task was not there yet, nor was it once the deadline was told.
  EXPECT_EQ(lines({"recommend", "--dir", "new", "--at", "2"}).size(), 0U);
}

// told_events(): one event a minute from 10:00 on.
TEST_F(RequirementA7, StatisticsCountStatesEndsRatesAndWaits) {
  const auto all = lines({"stats"});
  ASSERT_EQ(all.size(), 2U);
  const auto& web = all[0];
  EXPECT_EQ(web["queue"], "web");
  EXPECT_EQ(web["submitted"], 4);
  EXPECT_EQ(web["attempts"], 4);
  EXPECT_EQ(web["attempts_failed"], 2);
  EXPECT_EQ(web["succeeded"], 2);
  EXPECT_EQ(web["failed"], 1);
  EXPECT_EQ(web["live"], 1);
  EXPECT_EQ(web["tasks"]["waiting"], 1);
  EXPECT_DOUBLE_EQ(web["completion"], 2.0 / 3);
  EXPECT_DOUBLE_EQ(web["submitted_per_hour"], 16) << "4 in 15 minutes";
  EXPECT_EQ(web["wait"]["count"], 3);
  EXPECT_EQ(web["wait"]["p50_us"], 5 * 60'000'000LL) << "4, 5 and 5 minutes";
  EXPECT_EQ(web["run"]["max_us"], 2 * 60'000'000LL);
  EXPECT_EQ(all[1]["queue"], nullptr) << "all of them";
  EXPECT_EQ(all[1]["succeeded"], 2);
}

TEST_F(RequirementA7, StatisticsBeginAndEndAtAMomentAndAreGrouped) {
  const auto since = lines({"stats", "--by", "kind", "--since", "8", "--at", "13"});
  ASSERT_EQ(since.size(), 2U);
  EXPECT_EQ(since[0]["kind"], "work");
  EXPECT_EQ(since[0]["submitted"], 0);
  EXPECT_EQ(since[0]["attempts"], 2);
  EXPECT_EQ(since[0]["succeeded"], 1);
  EXPECT_EQ(since[0]["tasks"]["ready"], 1);
  EXPECT_TRUE(output({"stats", "--by", "owner"}).starts_with("OWNER"));
  EXPECT_EQ(run({"stats", "--by", "colour"}).code, 2);
}

TEST_F(RequirementA7, StatisticsTellWhatIsOverdue) {
  submit({"--name", "late", "--deadline", "1 hour ago", "--owner", "ann"});
  submit({"--name", "early", "--deadline", "in 1 hour", "--owner", "bob"});
  const auto all = lines({"stats", "--dir", "new", "--by", "owner"});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0]["owner"], "ann");
  EXPECT_EQ(all[0]["overdue"], 1);
  EXPECT_EQ(all[1]["overdue"], 0);
  EXPECT_EQ(lines({"list", "--dir", "new", "--where", "overdue && owner == \"ann\""}).size(), 1U);
  EXPECT_EQ(lines({"list", "--dir", "new", "--where", "deadline > now"}).size(), 1U);
}

}  // namespace
}  // namespace almanac::test
