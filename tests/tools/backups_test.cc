// Backups on the command line: a run that makes them, and what is told of them.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/log_commands.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

class BackupsCommandTest : public testing::Test {
 protected:
  [[nodiscard]] CommandOutput almanac(Words words) const {
    words.insert(words.end(), {"--dir", "log"});
    return run_almanac({.arguments = std::move(words), .folder = folder_.path()});
  }
  void submit(const std::string& script) const {
    const Words words = {"submit", "--dir", "log", "--", "/bin/sh", "-c", script};
    ASSERT_EQ(run_almanac({.arguments = words, .folder = folder_.path()}).code, 0);
  }
  TempFolder folder_;
};

TEST_F(BackupsCommandTest, AreMadeByARunAndTold) {
  submit("until test -e '" + (folder_ / "repository/manifests/1").string() +
         "'; do sleep 0.02; done");
  const Words run = {"run", "--repository", "repository", "--snapshot", "every 1s"};
  ASSERT_EQ(almanac(run).code, 0);
  const auto told = almanac({"backups", "--json"});
  ASSERT_EQ(told.code, 0) << told.errors;
  const auto job = json::parse(told.output);
  EXPECT_EQ(job["job"], "snapshot");
  EXPECT_EQ(job["action"], "snapshot");
  EXPECT_EQ(job["schedule"], "every second");
  EXPECT_EQ(job["repository"], (folder_ / "repository").string());
  EXPECT_GE(job["runs"], 1);
  EXPECT_TRUE(job["next"].is_string());
  EXPECT_FALSE(job["running"]);
  const auto shown = almanac({"backups"});
  EXPECT_NE(shown.output.find("snapshot  every second\n  last  20"), std::string::npos)
      << shown.output;
  const auto events = almanac({"log", "cat", "--type", "SnapshotMade"});
  EXPECT_NE(events.output.find("job=snapshot"), std::string::npos) << events.output;
  EXPECT_EQ(run_almanac(
                {.arguments = {"snapshot", "verify", "-r", "repository"}, .folder = folder_.path()})
                .code,
            0);
}

TEST_F(BackupsCommandTest, ThatFailAreToldWithTheReason) {
  write_file(folder_ / "repository", "a file");
  submit("until '" + almanac_path() + "' backups --json --dir '" + (folder_ / "log").string() +
         "' | grep -q '\"failures\":[1-9]'; do sleep 0.02; done");
  ASSERT_EQ(almanac({"run", "--repository", "repository", "--snapshot", "every 1s"}).code, 0)
      << "a repository that fails is no failure of the work";
  const auto job = json::parse(almanac({"backups", "--json"}).output);
  EXPECT_GE(job["failures_in_row"], 1);
  EXPECT_TRUE(job["error"]["message"].is_string()) << job.dump();
  const auto shown = almanac({"backups"}).output;
  EXPECT_NE(shown.find("\n  failed "), std::string::npos) << shown;
}

TEST_F(BackupsCommandTest, HaveAllOfARunThatArchivesAsItGoes) {
  submit("true");
  ASSERT_EQ(almanac({"run", "--repository", "repository", "--archive-every", "50ms"}).code, 0);
  const auto listed = run_almanac(
      {.arguments = {"snapshot", "list", "-r", "repository", "--json"}, .folder = folder_.path()});
  const auto tail = json::parse(almanac({"log", "tail", "-n", "1", "--json"}).output);
  EXPECT_NE(listed.output.find("\"last\":" + tail["position"].dump()), std::string::npos)
      << listed.output << tail;
  const auto refused = almanac({"run", "--repository", "repository", "--archive-every", "1ms"});
  EXPECT_EQ(refused.code, 2) << refused.errors;
  EXPECT_EQ(almanac({"run", "--archive-every", "1s"}).code, 2);
}

TEST_F(BackupsCommandTest, SayWhenThereAreNone) {
  submit("true");
  EXPECT_EQ(almanac({"backups"}).output, "no backups\n");
  EXPECT_EQ(almanac({"backups", "--json"}).output, "");
}

TEST_F(BackupsCommandTest, AreRefusedBeforeAnythingIsDone) {
  struct Bad {
    Words words;
    std::string says;
  };
  for (const Bad& bad :
       std::vector<Bad>{{{"--snapshot", "every day"}, "name its folder with --repository"},
                        {{"--keep-last", "3"}, "name its folder with --repository"},
                        {{"--repository", "r"}, "nothing is done with the repository"},
                        {{"--repository", "r", "--drill", "daily at 25:00"},
                         "--drill: column 10 of the recurrence: '25:00' stands"},
                        {{"--repository", "r", "--prune", "hourly"}, "'every 15 minutes'"},
                        {{"--repository", "r", "--keep-within", "soon"}, "--keep-within"}}) {
    Words words = {"run"};
    words.insert(words.end(), bad.words.begin(), bad.words.end());
    const auto outcome = almanac(words);
    EXPECT_EQ(outcome.code, 2) << bad.says;
    EXPECT_NE(outcome.errors.find(bad.says), std::string::npos) << outcome.errors;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "log"));
}

}  // namespace
}  // namespace almanac::test
