// Requirement A10: a self-test of connections and functions; configuration: program file, pool
// size, fallback on or off. And what the command line says of advisors.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/command_result.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tools/advisor_file.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class RequirementA10 : public testing::Test {
 protected:
  [[nodiscard]] CommandOutput almanac(std::vector<std::string> words) const {
    return run_almanac({.arguments = std::move(words), .folder = folder_.path()});
  }
  void write(const std::string& text) const { write_file(folder_ / "advisor.toml", text); }
  // Why the file is not taken.
  [[nodiscard]] std::string fault_of(const std::string& text) const {
    write(text);
    const auto loaded = load_advisor((folder_ / "advisor.toml").string());
    return loaded ? "" : describe(loaded.error());
  }
  // Of a program that answers each request in this way.
  void write_program(const std::string& answer, const std::string& more = {}) const {
    write_file(folder_ / "answer.sh",
               "while read -r line; do id=${line#*:} id=${id%%,*}\n"
               "rank=${line#*\\\"rank\\\":} rank=${rank%%,*}\n" +
                   answer + "\ndone\n");
    write("[ranker]\ncommand = [\"sh\", \"answer.sh\"]\nsize = 1\n" + more);
  }
  TempFolder folder_;
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_F(RequirementA10, TheSelfTestShowsThatAnAdvisorWorks) {
  const auto checked =
      almanac({"advisor", "check", source_path("examples/advisor/ranker.toml").string(), "--json"});
  EXPECT_EQ(checked.code, 0) << checked.errors;
  const auto shown = json::parse(checked.output);
  EXPECT_EQ(shown["advisor"], "ranker");
  EXPECT_EQ(shown["works"], true);
  EXPECT_EQ(shown["processes"], 2);
  EXPECT_EQ(shown["fallback"], true);
  EXPECT_EQ(shown["order"], (std::vector<int>{3, 2, 1})) << "the nearest deadline first";
}

TEST_F(RequirementA10, TheSelfTestSaysWhatIsWrong) {
  write_program(R"(echo "{\"id\":$id,\"answer\":{\"rank\":$rank,\"order\":[1,1]}}")");
  auto checked = almanac({"advisor", "check", "advisor.toml", "--json"});
  EXPECT_EQ(checked.code, 1);
  EXPECT_EQ(json::parse(checked.output)["fault"], "duplicate_task");
  EXPECT_TRUE(has(checked.errors, "it names task 1 twice")) << checked.errors;

  write_program(R"(echo "{\"id\":$id,\"error\":\"hyperon is not installed\"}")");
  checked = almanac({"advisor", "check", "advisor.toml"});
  EXPECT_EQ(checked.code, 1);
  EXPECT_TRUE(has(checked.errors, "hyperon is not installed")) << checked.errors;
}

TEST_F(RequirementA10, ProgramPoolSizeAndFallbackAreConfigured) {
  write(R"([ranker]
command = ["node", "ranker.js"]
folder = "advisors"
env = { MODEL = "small" }
size = 5
fallback = false
tasks_max = 7
attempts = 4
interval = "1s"
valid_for = "2s"
timeout = "3s"
start_timeout = "8s"
overtaking_max = "4s"
backoff = "5s"
probe_backoff = "6s"
probe_backoff_max = "7s"
)");
  const auto loaded = load_advisor((folder_ / "advisor.toml").string());
  ASSERT_TRUE(loaded) << describe(loaded.error());
  EXPECT_EQ(loaded->name, "ranker");
  EXPECT_EQ(loaded->command.arguments, (std::vector<std::string>{"node", "ranker.js"}));
  EXPECT_EQ(loaded->command.working_folder, (folder_ / "advisors").string());
  EXPECT_EQ(loaded->command.environment.at("MODEL"), "small");
  EXPECT_EQ(loaded->size, 5U);
  EXPECT_FALSE(loaded->has_fallback);
  EXPECT_EQ(loaded->tasks_max, 7U);
  EXPECT_EQ(loaded->attempts_max, 4U);
  EXPECT_EQ(loaded->interval, 1s);
  EXPECT_EQ(loaded->valid_for, 2s);
  EXPECT_EQ(loaded->timeout, 3s);
  EXPECT_EQ(loaded->start_timeout, 8s);
  EXPECT_EQ(loaded->overtaking_max, 4s);
  EXPECT_EQ(loaded->backoff, 5s);
  EXPECT_EQ(loaded->probe_backoff, 6s);
  EXPECT_EQ(loaded->probe_backoff_max, 7s);
}

TEST_F(RequirementA10, WhatCannotBeIsSaidWithItsLine) {
  EXPECT_TRUE(has(fault_of("[a]\ncommand = [\"sh\"]\nsize = 0\n"), "advisor.toml:3: "));
  EXPECT_TRUE(has(fault_of("[a]\ncommand = [\"sh\"]\nsiez = 2\n"), "did you mean 'size'?"));
  EXPECT_TRUE(has(fault_of("[a]\ncommand = [\"sh\"]\n[b]\n"), "an engine has one advisor"));
  EXPECT_TRUE(has(fault_of("[a]\n"), "cannot be started"));
  EXPECT_FALSE(fault_of("").empty());
  EXPECT_EQ(almanac({"advisor", "check", "advisor.toml"}).code, 2);
  EXPECT_EQ(almanac({"advisor", "check", "nowhere.toml"}).code, 3);
}

TEST_F(RequirementA10, ARunGoesByAdviceAndTheLogShowsIt) {
  const std::string first =
      "echo \"{\\\"id\\\":$id,\\\"answer\\\":{\\\"rank\\\":$rank,"
      "\\\"order\\\":[$(printf '%s\\n' \"$line\" | "
      "grep -o '\"id\":[0-9]*,\"kind\"' | tr -dc '0-9\\n' | tail -n 1)]}}\"";
  write_program(first, "fallback = false\ninterval = \"1ms\"\n");
  write_file(folder_ / "work.toml",
             "[[task]]\nname = \"one\"\nshell = \"true\"\n[[task]]\nname = \"two\"\nshell = "
             "\"true\"\n");
  const auto ran =
      almanac({"run", "work.toml", "--dir", "log", "--slots", "1", "--advisor", "advisor.toml"});
  ASSERT_EQ(ran.code, 0) << ran.errors;
  const auto shown =
      json::parse(almanac({"advisor", "show", "ranker", "--dir", "log", "--json"}).output);
  EXPECT_EQ(shown["mode"], "advising");
  EXPECT_GE(shown["begun"], 1);
  EXPECT_TRUE(
      has(almanac({"why", "2", "--dir", "log"}).output, "attempt 1 began on the advice of ranker"));
  EXPECT_TRUE(has(almanac({"advisor", "list", "--dir", "log"}).output, "ranker"));
  EXPECT_EQ(almanac({"advisor", "show", "oracle", "--dir", "log"}).code, 3);
}

TEST_F(RequirementA10, WithoutAFallbackWhatHasWaitedForLongBegins) {
  write_program("echo nonsense",
                "fallback = false\novertaking_max = \"300ms\"\ntimeout = \"100ms\"\n");
  write_file(folder_ / "work.toml", "[[task]]\nname = \"one\"\nshell = \"true\"\n");
  ASSERT_EQ(almanac({"run", "work.toml", "--dir", "log", "--advisor", "advisor.toml"}).code, 0);
  const auto task = json::parse(almanac({"show", "1", "--dir", "log", "--json"}).output);
  EXPECT_EQ(task["state"], "succeeded") << task;
}

TEST_F(RequirementA10, AnEngineWithAnAdvisorIsASnippetThatRuns) {
  const auto ran =
      run_command({program_path("example_advisor").string(), (folder_ / "work").string(),
                   source_path("examples/advisor/ranker.js").string()});
  EXPECT_EQ(ran.output, "in two minutes\nin five minutes\nsome day\n");
}

}  // namespace
}  // namespace almanac::test
