// `almanac review`, and what other commands say of tasks under review, as one types them.
#include <almanac/tests/support/past_commands.h>
#include <almanac/tools/exit_code.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

using nlohmann::json;

// The told log, restored to position 9, where 1 had ended, 2 ran and 4 was ready: since then 2 has
// failed and 4 succeeded.
class ReviewCommands : public PastCommands {
 protected:
  ReviewCommands() {
    (void)output({"snapshot", "create", "--repository", "backup"});
    (void)output({"snapshot", "restore", "--at", "9", "--to", "work", "--repository", "backup"});
  }
  [[nodiscard]] static Words in_work(Words words) {
    words.insert(words.end(), {"--dir", "work"});
    return words;
  }
  [[nodiscard]] std::string state_of(int task) const {
    return output_json(in_work({"show", std::to_string(task)}))["state"];
  }
};

TEST_F(ReviewCommands, ListWhatIsKnownOfEachTask) {
  EXPECT_EQ(output(in_work({"review", "list"})),
            "ID  OUTCOME    STARTED  ENDED  LABEL\n"
            "2   failed     14       15     sum\n"
            "4   succeeded  11       13     other\n");
  const auto lines = lines_of(output(in_work({"review", "list", "--json"})));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(json::parse(lines[1]), (json{{"id", 4},
                                         {"label", "other"},
                                         {"reason", "restored"},
                                         {"outcome", "succeeded"},
                                         {"started", 11},
                                         {"ended", 13}}));
  EXPECT_EQ(output({"review", "list"}), "no task is under review\n");
}

TEST_F(ReviewCommands, DecideAboutTasks) {
  EXPECT_EQ(output(in_work({"review", "skip", "4"})), "task 4 counts as succeeded\n");
  EXPECT_EQ(output(in_work({"review", "run", "2"})), "task 2 may run\n");
  EXPECT_EQ(state_of(4), "succeeded");
  EXPECT_EQ(state_of(2), "ready");
  EXPECT_EQ(output(in_work({"review", "run", "--all"})), "no task is under review\n");
}

TEST_F(ReviewCommands, DecideAboutAll) {
  EXPECT_EQ(output(in_work({"review", "skip", "--all"})),
            "task 2 cancelled\ntask 4 counts as succeeded\n");
  EXPECT_EQ(state_of(3), "cancelled") << "it depends on 2";
}

TEST_F(ReviewCommands, AcceptWhatSomebodyKnowsToBeDone) {
  EXPECT_EQ(output(in_work({"review", "accept", "2"})), "task 2 counts as succeeded\n");
  EXPECT_EQ(state_of(3), "ready");
}

TEST_F(ReviewCommands, RefuseWithoutATrace) {
  const auto before = output_json(in_work({"state", "digest"}));
  const auto code = [&](const Words& words) { return ExitCode(run(in_work(words)).code); };
  EXPECT_EQ(code({"review", "run", "2", "1"}), ExitCode::conflict);
  EXPECT_EQ(code({"review", "run", "99"}), ExitCode::not_found);
  EXPECT_EQ(code({"review", "run"}), ExitCode::usage);
  EXPECT_EQ(code({"review", "run", "2", "--all"}), ExitCode::usage);
  EXPECT_EQ(code({"review"}), ExitCode::usage);
  EXPECT_EQ(ExitCode(run({"review", "run", "2", "--dir", "none"}).code), ExitCode::not_found);
  EXPECT_EQ(output_json(in_work({"state", "digest"})), before);
}

TEST_F(ReviewCommands, AreToldOfByTheOthers) {
  const auto story = output_json(in_work({"why", "4"}));
  EXPECT_EQ(story["state"], "held");
  EXPECT_EQ(story["steps"].back()["wait"], "review");
  EXPECT_EQ(story["steps"].back()["sentence"], "under review: succeeded at 13 of the origin");
  EXPECT_EQ(output_json(in_work({"show", "4"}))["review"], "succeeded at 13 of the origin");
  const auto held = lines_of(output(in_work({"list", "--where", "state == \"held\"", "--json"})));
  EXPECT_EQ(held.size(), 2U);
  EXPECT_EQ(lines_of(output(in_work({"list", "--state", "held", "--json"}))).size(), 2U);
  EXPECT_EQ(output_json(in_work({"queues"}))["held"], 2);
  EXPECT_EQ(output_json(in_work({"bisect", "--when", "tasks.held > 1"}))["position"], 11);
  EXPECT_EQ(output_json(in_work({"state", "verify"}))["broken"], json::array());
  EXPECT_EQ(output_json(in_work({"diff", "9", "now"}))["changes"]["held"]["4"]["outcome"],
            (json::array({nullptr, "succeeded"})));
  EXPECT_EQ(output(in_work({"cancel", "2"})), "task 2 cancelled\n");
}

// It ends when nothing can go on without a decision, and says so.
TEST_F(ReviewCommands, AreWaitedForByNoRun) {
  const auto done = run(in_work({"run"}));
  EXPECT_EQ(ExitCode(done.code), ExitCode::work_failed) << done.errors;
  EXPECT_NE(done.output.find("\n2 tasks under review: see `almanac review list`\n"),
            std::string::npos)
      << done.output;
  EXPECT_EQ(state_of(4), "held");
}

}  // namespace
}  // namespace almanac::test
