// Cancel, retry, pause and resume as they are typed: of tasks by number and by expression, and of
// queues and kinds; and what a task may come after.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

using Words = std::vector<std::string>;

class TaskChanges : public testing::Test {
 protected:
  std::string almanac(Words words) {
    const auto done = run(std::move(words));
    EXPECT_EQ(done.code, 0) << done.errors;
    return done.output;
  }
  CommandOutput run(Words words) {
    return run_almanac({.arguments = std::move(words),
                        .folder = folder_.path(),
                        .environment = {{"ALMANAC_DIR", "log"}}});
  }
  std::string state_of(const std::string& id) {
    const auto shown = almanac({"show", id});
    const auto begin = shown.find("state         ") + 14;
    return shown.substr(begin, shown.find('\n', begin) - begin);
  }

  TempFolder folder_;
};

TEST_F(TaskChanges, RetryRunsFailedTasksAgain) {
  almanac({"submit", "--", "/bin/sh", "-c", "test -e done"});
  almanac({"submit", "--after", "1:success_in_the_end", "--", "/bin/true"});
  EXPECT_EQ(run({"run"}).code, 1);
  EXPECT_EQ(state_of("1"), "failed");
  EXPECT_EQ(state_of("2"), "waiting");
  EXPECT_NE(almanac({"why", "2"}).find("task 1 failed: `almanac retry` runs it again"),
            std::string::npos);
  EXPECT_EQ(almanac({"retry", "--where", "last_code == 1", "--dry-run"}),
            "1 task would run again\n");
  write_file(folder_ / "done", "");
  EXPECT_EQ(almanac({"retry", "1"}), "task 1 runs again\n");
  almanac({"run"});
  EXPECT_EQ(state_of("1"), "succeeded");
  EXPECT_EQ(state_of("2"), "succeeded");
  EXPECT_EQ(run({"retry", "1"}).code, 4);
}

TEST_F(TaskChanges, AnExpressionMeansThoseThatCanBeChanged) {
  for (const char* queue : {"a", "a", "b"}) {
    almanac({"submit", "--queue", queue, "--", "/bin/true"});
  }
  EXPECT_EQ(almanac({"pause", "--where", "queue == \"a\""}), "2 tasks paused\n");
  EXPECT_EQ(almanac({"pause", "--where", "queue == \"a\""}), "0 tasks paused\n");
  almanac({"pause", "--queue", "b"});
  EXPECT_NE(run({"run"}).output.find("queue b is paused"), std::string::npos);
  almanac({"resume", "--queue", "b"});
  EXPECT_EQ(run({"run"}).code, 1);
  EXPECT_EQ(state_of("1"), "held");
  EXPECT_EQ(state_of("3"), "succeeded");
  EXPECT_EQ(almanac({"cancel", "--where", "id < 3 && paused", "--dry-run"}),
            "2 tasks would be cancelled\n");
  EXPECT_EQ(almanac({"cancel", "1"}), "task 1 cancelled\n");
  EXPECT_EQ(almanac({"resume", "--where", "true"}), "1 task resumed\n");
  almanac({"run"});
  EXPECT_EQ(state_of("2"), "succeeded");
}

TEST_F(TaskChanges, OfAPausedQueueNothingBegins) {
  almanac({"submit", "--queue", "mail", "--", "/bin/true"});
  EXPECT_EQ(almanac({"pause", "--queue", "mail"}), "queue mail paused\n");
  EXPECT_EQ(run({"run"}).code, 1);
  EXPECT_NE(almanac({"why", "1"}).find("queue mail is paused"), std::string::npos);
  EXPECT_EQ(almanac({"resume", "--queue", "mail"}), "queue mail resumed\n");
  almanac({"run"});
  EXPECT_EQ(state_of("1"), "succeeded");
}

TEST_F(TaskChanges, WithoutATaskOrWithTwoKindsOfThemAreRefused) {
  almanac({"submit", "--", "/bin/true"});
  EXPECT_EQ(run({"cancel"}).code, 2);
  EXPECT_EQ(run({"cancel", "1", "--where", "true"}).code, 2);
  EXPECT_EQ(run({"pause", "1", "--queue", "mail"}).code, 2);
  EXPECT_EQ(run({"cancel", "--where", "colour == 3"}).code, 2);
  EXPECT_EQ(run({"cancel", "7"}).code, 3);
}

TEST_F(TaskChanges, AGroupHasATaskThatComesBehindAllOfIt) {
  write_file(folder_ / "w.toml", R"(
[[task]]
name = "one"
command = ["/bin/true"]
tags = ["part"]
[[task]]
name = "over"
command = ["/bin/true"]
tags = ["part"]
after = [{ tag = "part", when = "end" }]
[[task]]
name = "well"
command = ["/bin/true"]
after = [{ tag = "part" }]
[[task]]
name = "two"
command = ["/bin/false"]
tags = ["part"]
)");
  EXPECT_EQ(run({"run", "w.toml"}).code, 1);
  const auto list = almanac({"list"});
  EXPECT_NE(list.find("over"), std::string::npos) << list;
  EXPECT_EQ(state_of("1"), "succeeded");
  EXPECT_EQ(state_of("2"), "failed");
  EXPECT_EQ(state_of("3"), "succeeded");
  EXPECT_EQ(state_of("4"), "cancelled");
  write_file(folder_ / "x.toml",
             "[[task]]\nname = \"a\"\ncommand = [\"x\"]\nafter = [{ tag = \"no\" }]\n");
  EXPECT_NE(run({"run", "x.toml"}).errors.find("no task has it"), std::string::npos);
}

TEST_F(TaskChanges, AWorkloadSaysHowWhatATaskComesAfterMustHaveEnded) {
  write_file(folder_ / "w.toml", R"(
[[task]]
name = "try"
command = ["/bin/false"]
[[task]]
name = "mend"
command = ["/bin/true"]
after = [{ task = "try", when = "failure" }]
[[task]]
name = "report"
shell = "cat $ALMANAC_DEPENDENCIES"
after = [{ task = "try", when = "end" }, "mend"]
[[task]]
name = "celebrate"
command = ["/bin/true"]
after = ["try"]
)");
  EXPECT_EQ(run({"run", "w.toml"}).code, 1);
  EXPECT_EQ(state_of("2"), "succeeded");
  EXPECT_EQ(state_of("3"), "succeeded");
  EXPECT_EQ(state_of("4"), "cancelled");
  const auto report = almanac({"show", "3", "--output"});
  EXPECT_TRUE(report.starts_with(R"([{"id":1,"state":"failed",)")) << report;
}

}  // namespace
}  // namespace almanac::test
