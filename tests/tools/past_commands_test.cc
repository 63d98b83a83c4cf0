// The commands that look at the past, on a log of known events: the moments they take, what they
// print and what they refuse.
#include <almanac/tests/support/past_commands.h>

#include <nlohmann/json.hpp>

namespace almanac::test {
namespace {

using nlohmann::json;

TEST_F(PastCommands, WhyTellsEveryWaitAndAttempt) {
  EXPECT_EQ(output({"why", "2"}), golden("why_sum.txt"));
  EXPECT_EQ(output({"why", "3"}), golden("why_report.txt"));
  EXPECT_EQ(output({"why", "4"}), golden("why_other.txt"));
}

TEST_F(PastCommands, WhySaysWhyATaskDidNotRunThen) {
  auto story = output_json({"why", "4", "--at", "9"});
  EXPECT_EQ(story["steps"].back()["wait"], "queue_limit");
  EXPECT_FALSE(story["steps"].back().contains("until"));
  story = output_json({"why", "3", "--at", "2026-11-21T10:14:30Z"});
  EXPECT_EQ(story["steps"].back()["wait"], "doomed");
  EXPECT_EQ(story["steps"].back()["position"], 15);
  EXPECT_EQ(output_json({"why", "1"})["unblocked"], json::array({2}));
  EXPECT_EQ(output_json({"why", "2"})["doomed"], json::array({3}));
}

TEST_F(PastCommands, DiffShowsWhatChanged) {
  EXPECT_EQ(output({"diff", "8", "15"}), golden("diff.txt"));
  EXPECT_EQ(output({"diff", "0", "6"}), golden("diff_from_nothing.txt"));
  auto changes = output_json({"diff", "9", "10"})["changes"];
  EXPECT_EQ(changes["tasks"]["2"]["state"], (json::array({"running", "delayed"})));
  EXPECT_EQ(changes.size(), 1U);
  EXPECT_EQ(output_json({"diff", "9", "9"})["changes"], json::object());
}

TEST_F(PastCommands, HistoryShowsTheTasksOwnEvents) {
  auto lines = lines_of(output({"history", "2"}));
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[2], "9         2026-11-21T10:08:00.000Z  +5m00s  attempt 1 began");
  EXPECT_EQ(lines_of(output({"history", "2", "--at", "9"})).size(), 3U);
  EXPECT_EQ(run({"history", "2", "--at", "3"}).code, 3);
}

TEST_F(PastCommands, BisectFindsTheFirstPosition) {
  EXPECT_EQ(output_json({"bisect", "--when", "tasks.failed > 0"})["position"], 15);
  EXPECT_EQ(output_json({"bisect", "--when", "exists(id == 4 && attempts > 0)"})["position"], 11);
  EXPECT_EQ(run({"bisect", "--when", "tasks.total >= 0"}).code, 7) << "holds at the start";
  EXPECT_EQ(run({"bisect", "--when", "tasks.failed > 5"}).code, 3);
  auto wrong = run({"bisect", "--when", "tasks.faild > 5"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_EQ(wrong.errors,
            "almanac: column 1: there is no name 'tasks.faild'; did you mean 'tasks.failed'?\n"
            "  tasks.faild > 5\n"
            "  ^\n");
}

TEST_F(PastCommands, TakesPositionsAndTimes) {
  const auto position = [&](const char* at) {
    return output_json({"state", "digest", "--at", at})["position"];
  };
  EXPECT_EQ(position("7"), 7);
  EXPECT_EQ(position("0"), 0);
  EXPECT_EQ(position("2026-11-21T10:06:00Z"), 7) << "the event of that time is in it";
  EXPECT_EQ(position("2026-11-21T10:06:59Z"), 7);
  EXPECT_EQ(position("2226-11-21T10:06:59Z"), 16);
  EXPECT_EQ(run({"list", "--at", "17"}).code, 3);
  EXPECT_EQ(run({"list", "--at", "99999999999999999999999"}).code, 3);
  EXPECT_EQ(run({"list", "--at", "2026-11-21T09:59:59Z"}).code, 3);
  EXPECT_EQ(run({"list", "--at", "yesterday"}).code, 2);
}

TEST_F(PastCommands, ListAndQueuesShowTheMoment) {
  EXPECT_EQ(output_json({"list", "--where", "state == \"delayed\"", "--at", "10"})["id"], 2);
  EXPECT_EQ(output({"list", "--where", "state == \"delayed\""}), "no tasks match\n");
  auto queue = output_json({"queues", "--at", "9"});
  EXPECT_EQ(queue["slots"], 1);
  EXPECT_EQ(queue["running"], 1);
  EXPECT_EQ(queue["waiting"], 1);
  EXPECT_EQ(output_json({"show", "2", "--at", "9"})["state"], "running");
}

TEST_F(PastCommands, VerifyFindsAnEventThatContradictsTheState) {
  EXPECT_EQ(output_json({"state", "verify"})["sound"], true);
  write_frames(folder_ / "odd", {{{.at = sample_time(0), .body = TaskReadied{TaskId(9)}}}});
  auto done = run({"state", "verify", "--dir", "odd"});
  EXPECT_EQ(done.code, 6);
  EXPECT_NE(done.output.find("1 event contradicted the state"), std::string::npos);
}

}  // namespace
}  // namespace almanac::test
