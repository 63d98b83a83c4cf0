// Groups on the command line, and in a workload.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

class GroupCommandTest : public testing::Test {
 protected:
  [[nodiscard]] CommandOutput run(Words words) const {
    return run_almanac({.arguments = std::move(words),
                        .folder = folder_.path(),
                        .environment = {{"ALMANAC_DIR", "log"}}});
  }
  void succeed(Words words) const {
    const auto outcome = run(std::move(words));
    ASSERT_EQ(outcome.code, 0) << outcome.errors;
  }
  [[nodiscard]] json show() const {
    return json::parse(run({"group", "show", "import", "--json"}).output);
  }
  [[nodiscard]] std::string state_of(const std::string& id) const {
    return json::parse(run({"show", id, "--json"}).output)["state"];
  }
  TempFolder folder_;
};

TEST_F(GroupCommandTest, HoldsBackWhatComesAfterItUntilItIsClosed) {
  succeed({"group", "create", "import"});
  succeed({"submit", "--after-group", "import", "--", "true"});
  succeed({"submit", "--after-group", "import:end", "--", "true"});
  succeed({"submit", "--group", "import", "--", "false"});
  EXPECT_EQ(run({"run"}).code, 1);
  succeed({"submit", "--group", "import", "--", "true"});
  EXPECT_EQ(show()["tasks"], 2);
  EXPECT_EQ(show()["live"], 1);
  EXPECT_EQ(show()["failed"], 1);
  EXPECT_EQ(show()["awaited_by"], json::parse("[1,2]"));
  EXPECT_NE(run({"why", "1"}).output.find("group import is open, 1 of 2 tasks ended"),
            std::string::npos);
  const auto live = run({"list", "--where", "group == \"import\" && !ended", "--json"});
  EXPECT_EQ(json::parse(live.output)["id"], 4);
  succeed({"group", "close", "import"});
  (void)run({"run"});
  EXPECT_EQ(state_of("1"), "cancelled");
  EXPECT_EQ(state_of("2"), "succeeded");
  EXPECT_EQ(show()["state"], "failed");
  EXPECT_NE(run({"group", "list"}).output.find("import  failed"), std::string::npos);
  EXPECT_EQ(json::parse(run({"group", "show", "import", "--json", "--at", "3"}).output)["state"],
            "open");
}

TEST_F(GroupCommandTest, IsCancelledWithItsTasks) {
  succeed({"group", "create", "import"});
  succeed({"submit", "--group", "import", "--", "true"});
  succeed({"submit", "--group", "import", "--", "true"});
  EXPECT_EQ(run({"group", "cancel", "import", "--reason", "wrong file"}).output,
            "2 tasks cancelled\n");
  EXPECT_EQ(show()["state"], "cancelled");
  EXPECT_NE(run({"history", "1"}).output.find("wrong file"), std::string::npos);
}

TEST_F(GroupCommandTest, IsRefusedWithANextStepAndChangesNothing) {
  EXPECT_EQ(run({"group", "close", "import"}).code, 3);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "log"));
  succeed({"group", "create", "import"});
  const auto before = run({"state", "digest"}).output;
  EXPECT_EQ(run({"submit", "--group", "imports", "--", "true"}).code, 3);
  EXPECT_EQ(run({"submit", "--after-group", "import:later", "--", "true"}).code, 2);
  EXPECT_EQ(run({"submit", "--after-group", "import:failure", "--", "true"}).code, 2);
  EXPECT_EQ(run({"group", "show", "imports"}).code, 3);
  EXPECT_EQ(run({"state", "digest"}).output, before);
}

TEST_F(GroupCommandTest, TakesTheTasksOfAWorkload) {
  succeed({"group", "create", "import"});
  write_file(folder_ / "work.toml", R"(
[defaults]
group = "import"

[[task]]
name = "a"
shell = "true"

[[task]]
name = "b"
shell = "true"
)");
  write_file(
      folder_ / "then.jsonl",
      R"({"name": "then", "shell": "true", "after_group": {"group": "import", "when": "end"}})"
      "\n");
  succeed({"run", "work.toml"});
  EXPECT_EQ(show()["succeeded"], 2);
  succeed({"group", "close", "import"});
  succeed({"run", "then.jsonl"});
  EXPECT_EQ(state_of("3"), "succeeded");
  succeed({"run", "work.toml"});
  EXPECT_EQ(show()["tasks"], 2) << "what was submitted before is not submitted again";
}

}  // namespace
}  // namespace almanac::test
