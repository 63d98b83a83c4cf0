// Versions of tasks, and which of them a run takes, as they are typed and shown.
#include <almanac/tools/version_range.h>
#include <almanac/tools/workload.h>

#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace almanac::test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

class Versions : public testing::Test {
 protected:
  CommandOutput run(Words words) {
    return run_almanac({.arguments = std::move(words),
                        .folder = folder_.path(),
                        .environment = {{"ALMANAC_DIR", "log"}}});
  }
  void submit(const std::string& version) {
    const auto done = run({"submit", "--version", version, "--", "/bin/true"});
    EXPECT_EQ(done.code, 0) << done.errors;
  }
  std::string state_of(const std::string& id) {
    return json::parse(run({"show", id, "--json"}).output).at("state");
  }

  TempFolder folder_;
};

TEST(VersionRange, IsReadAndWritten) {
  const auto read = [](std::string_view text) {
    const auto versions = parse_versions(text);
    return versions ? versions_text(*versions) : describe(versions.error());
  };
  EXPECT_EQ(read("2"), "2");
  EXPECT_EQ(read("1-2"), "1 to 2");
  EXPECT_EQ(read("3-"), "3 and later");
  EXPECT_EQ(versions_text({.max = 2}), "up to 2");
  EXPECT_EQ(versions_text({}), "all");
  for (const char* wrong :
       {"", "0", "-", "-2", "0-2", "3-2", "1-2-3", "two", "4294967296", "1-0"}) {
    EXPECT_NE(read(wrong).find("write 2, 1-2, or 3-"), std::string::npos) << wrong;
  }
}

TEST_F(Versions, WaitForARunThatTakesThem) {
  for (const char* version : {"3", "2", "0"}) submit(version);
  const auto first = run({"run", "--versions", "1-2"});
  EXPECT_EQ(first.code, 1) << "task 1 was left";
  EXPECT_EQ(state_of("1"), "ready");
  EXPECT_EQ(state_of("2"), "succeeded");
  EXPECT_EQ(state_of("3"), "succeeded");
  const auto told = json::parse(run({"why", "1", "--json"}).output);
  EXPECT_EQ(told.at("version"), 3);
  const auto waits = [](const json& step) { return step.value("wait", "") == "version"; };
  const auto wait = std::ranges::find_if(told.at("steps"), waits);
  ASSERT_TRUE(wait != told.at("steps").end()) << told;
  EXPECT_EQ(wait->at("sentence"), "version 3 of command; this engine runs 1 to 2");
  EXPECT_NE(run({"why", "1"}).output.find("\n          version 3\n"), std::string::npos);
  EXPECT_EQ(run({"run", "--versions", "3-"}).code, 0);
  const auto shown = json::parse(run({"show", "1", "--json"}).output);
  EXPECT_EQ(shown.at("state"), "succeeded");
  EXPECT_EQ(shown.at("attempts"), 1);
  EXPECT_EQ(shown.at("version"), 3);
}

TEST_F(Versions, AreAskedForAndTypedWithCare) {
  for (const char* version : {"3", "2"}) submit(version);
  const auto listed = run({"list", "--where", "version > 2", "--json"}).output;
  ASSERT_EQ(lines_of(listed).size(), 1U) << listed;
  EXPECT_EQ(json::parse(listed).at("id"), 1);
  EXPECT_EQ(run({"run", "--versions", "3-1"}).code, 2);
  EXPECT_EQ(run({"submit", "--version", "-1", "--", "/bin/true"}).code, 2);
}

TEST_F(Versions, StandInAWorkload) {
  const auto path = folder_ / "work.jsonl";
  write_file(path, "{\"shell\": \"true\", \"version\": 2}\n");
  const auto workload = load_workload(path, Time(Duration(1)));
  ASSERT_TRUE(workload) << describe(workload.error());
  EXPECT_EQ(workload->tasks.front().spec.version, 2U);
  write_file(path, "{\"shell\": \"true\", \"version\": -2}\n");
  EXPECT_FALSE(load_workload(path, Time(Duration(1))));
}

}  // namespace
}  // namespace almanac::test
