// Limits on the command line and in workloads.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

class LimitsCommandTest : public testing::Test {
 protected:
  [[nodiscard]] CommandOutput almanac(Words words) const {
    words.insert(words.begin() + 1, {"--dir", "log"});
    return run_almanac({.arguments = std::move(words), .folder = folder_.path()});
  }
  void succeed(Words words) const {
    const auto outcome = almanac(std::move(words));
    ASSERT_EQ(outcome.code, 0) << outcome.errors;
  }
  // By name.
  [[nodiscard]] std::map<std::string, json> limits(const Words& more = {}) const {
    Words words = {"limits", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    std::map<std::string, json> found;
    for (const std::string& line : lines_of(almanac(words).output)) {
      auto limit = json::parse(line);
      found[limit["limit"]] = limit;
    }
    return found;
  }
  TempFolder folder_;
};

TEST_F(LimitsCommandTest, SetsLimitsAndShowsWhoWaits) {
  succeed({"limits", "--set", "memory", "--units", "8"});
  succeed({"limits", "--set", "api", "--per-minute", "60", "--burst", "5"});
  succeed({"submit", "--needs", "memory=4", "--needs", "api", "--", "true"});
  succeed({"submit", "--needs", "memory=8", "--", "true"});
  const auto shown = limits();
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown.at("memory"),
            (json{{"limit", "memory"}, {"units", 8}, {"used", 0}, {"waiting", 2}}));
  EXPECT_EQ(shown.at("api"), (json{{"limit", "api"},
                                   {"used", 0},
                                   {"per_minute", 60},
                                   {"burst", 5},
                                   {"tokens", 5},
                                   {"waiting", 1}}));
  succeed({"run"});
  EXPECT_EQ(limits().at("memory")["waiting"], 0);
  EXPECT_EQ(limits({"--at", "3"}).size(), 1U) << "api was not set then";
  succeed({"limits", "--lift", "memory"});
  EXPECT_FALSE(limits().contains("memory"));
}

TEST_F(LimitsCommandTest, RefusesWhatMakesNoSenseAndWritesNothing) {
  EXPECT_EQ(almanac({"submit", "--needs", "memory=4", "--", "true"}).code, 3);
  EXPECT_EQ(almanac({"limits", "--set", "memory"}).code, 2);
  EXPECT_EQ(almanac({"limits", "--units", "4"}).code, 2);
  EXPECT_EQ(almanac({"limits", "--set", "queue:a", "--units", "4"}).code, 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "log"));
  succeed({"limits", "--set", "memory", "--units", "4"});
  const auto refused = almanac({"submit", "--name", "big", "--needs", "memory=5", "--", "true"});
  EXPECT_EQ(refused.code, 7);
  EXPECT_NE(refused.errors.find("asks for 5 of the limit 'memory', which has 4"), std::string::npos)
      << refused.errors;
  EXPECT_EQ(almanac({"submit", "--needs", "memory=x", "--", "true"}).code, 2);
}

TEST_F(LimitsCommandTest, AreSetByWorkloadsWhoseTasksNeedThem) {
  write_file(folder_ / "work.toml", R"(
[limits]
memory = 2
api = { per_minute = 6000, burst = 2 }
[defaults]
needs = { memory = 1 }
[[task]]
name = "one"
shell = "true"
[[task]]
name = "two"
shell = "true"
needs = { memory = 2, api = 1 }
)");
  succeed({"run", "work.toml"});
  const auto shown = limits();
  EXPECT_EQ(shown.at("memory")["units"], 2);
  EXPECT_EQ(shown.at("api")["burst"], 2);
  const Words cat = {"log", "cat", "--dir", "log", "--type", "TaskEnqueued"};
  const auto events = run_almanac({.arguments = cat, .folder = folder_.path()});
  EXPECT_NE(events.output.find("demands=memory:1"), std::string::npos) << events.output;
  EXPECT_NE(events.output.find("demands=memory:2,api:1"), std::string::npos) << events.output;
}

TEST_F(LimitsCommandTest, OfAWorkloadAreCheckedBeforeAnythingIsWritten) {
  const auto refuses = [&](const std::string& text) {
    write_file(folder_ / "work.toml", text + "\n[[task]]\nname = \"a\"\nshell = \"true\"\n");
    return almanac({"run", "work.toml"}).code;
  };
  EXPECT_EQ(refuses("[limits]\nmemory = 0"), 2);
  EXPECT_EQ(refuses("[limits]\nmemory = {}"), 2);
  EXPECT_EQ(refuses("[limits]\nmemory = { unit = 3 }"), 2);
  EXPECT_EQ(refuses("[limits]\nmemory = 2\n[defaults]\nneeds = { memory = 3 }"), 7);
  EXPECT_EQ(refuses("[defaults]\nneeds = { memory = 1 }"), 3);
  EXPECT_EQ(refuses("[defaults]\nneeds = { memory = \"1\" }"), 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "log"));
}

}  // namespace
}  // namespace almanac::test
