// `almanac queue set` and what `almanac queues` shows of it.
#include <almanac/tests/support/past_commands.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

class QueueSet : public PastCommands {};

TEST_F(QueueSet, KeepsWhatIsNotNamed) {
  EXPECT_EQ(output({"queue", "set", "web", "--policy", "fair", "--weight", "ann=300"}),
            "queue web: 1 slot, fair, ann 300\n");
  EXPECT_EQ(output({"queue", "set", "web", "--slots", "4", "--weight", "bob=50"}),
            "queue web: 4 slots, fair, ann 300, bob 50\n");
  EXPECT_EQ(output({"queue", "set", "web", "--slots", "0", "--policy", "priority"}),
            "queue web: no slots of its own, priority\n");
}

TEST_F(QueueSet, IsShownByQueues) {
  (void)output({"queue", "set", "web", "--policy", "priority", "--ageing", "10m"});
  EXPECT_NE(output({"queues"}).find("queue web runs by priority, ageing 10m\n"), std::string::npos);
  const auto json = output_json({"queues"});
  EXPECT_EQ(json["policy"], "priority");
  EXPECT_EQ(json["ageing_us"], 600'000'000);
  EXPECT_EQ(output({"queues", "--at", "16"}).find("runs by"), std::string::npos) << "not yet";
}

TEST_F(QueueSet, SaysHowLongTasksAreKept) {
  const std::string kept = "queue web keeps succeeded tasks 1h, failed ones forever\n";
  EXPECT_EQ(
      output({"queue", "set", "web", "--retain-succeeded", "1h", "--retain-failed", "forever"}),
      "queue web: 1 slot, priority\n" + kept);
  EXPECT_NE(output({"queues"}).find(kept), std::string::npos);
  auto json = output_json({"queues"});
  EXPECT_EQ(json["retain_succeeded_us"], 3'600'000'000);
  EXPECT_EQ(json["retain_failed_us"], "forever");
  EXPECT_FALSE(json.contains("retain_cancelled_us"));
  EXPECT_NE(output({"diff", "16", "now"}).find("retain_failed_us forever"), std::string::npos);
  EXPECT_EQ(output({"queue", "set", "web", "--retain-succeeded", "0s", "--retain-failed", "0s",
                    "--retain-cancelled", "2d"}),
            "queue web: 1 slot, priority\nqueue web keeps cancelled tasks 2d\n");
}

TEST_F(QueueSet, PrintsJson) {
  const auto json = output_json({"queue", "set", "new", "--policy", "urgency"});
  EXPECT_EQ(json["queue"], "new");
  EXPECT_EQ(json["slots"], 0);
  EXPECT_EQ(json["weights"]["overdue"], 50);
  EXPECT_EQ(json["window_us"], 86'400'000'000);
}

TEST_F(QueueSet, IsRefusedWithANextStepAndChangesNothing) {
  const auto before = output({"state", "digest"});
  for (const Words& wrong : std::vector<Words>{{"--policy", "fastest"},
                                               {"--slots", "many"},
                                               {"--slots", "4097"},
                                               {"--ageing", "10"},
                                               {"--window", "1h"},
                                               {"--weight", "high"},
                                               {"--retain-failed", "always"},
                                               {"--weight", "high=much"},
                                               {"--policy", "urgency", "--weight", "hihg=1"},
                                               {"--policy", "fair", "--weight", "ann=0"}}) {
    Words words = {"queue", "set", "web"};
    words.insert(words.end(), wrong.begin(), wrong.end());
    EXPECT_EQ(run(words).code, 2) << wrong.back();
  }
  EXPECT_EQ(output({"state", "digest"}), before);
}

}  // namespace
}  // namespace almanac::test
