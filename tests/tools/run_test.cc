// `almanac run` from outside: what it does, what it prints, and how it stops.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/contains.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/process_watch.h>
#include <almanac/tests/support/temp_folder.h>

#include <almanac/engine/engine.h>
#include <almanac/tools/text.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

// A task that says when it runs and goes on when it is told to.
class HeldTask {
 public:
  explicit HeldTask(const TempFolder& folder)
      : arrived_(folder / "arrived"), release_(folder / "release") {}

  // For the shell. `before` may keep it from being stopped.
  [[nodiscard]] std::string script(const std::string& before = "") const {
    return before + "echo here > " + arrived_.path() + "; read word < " + release_.path();
  }
  void wait_until_it_runs() { EXPECT_EQ(arrived_.read_line(), "here"); }
  void let_go() { std::ofstream(release_.path()) << "go\n"; }

 private:
  NamedPipe arrived_;
  NamedPipe release_;
};

class Run : public testing::Test {
 protected:
  [[nodiscard]] CommandOutput almanac(Words words, std::string input = {}) const {
    words.insert(words.end(), {"--dir", "log"});
    return run_almanac(
        {.arguments = std::move(words), .folder = folder_.path(), .input = std::move(input)});
  }
  [[nodiscard]] CommandOutput on_terminal(Words words, std::size_t width,
                                          const Seen& seen = {}) const {
    words.insert(words.end(), {"--dir", "log"});
    return run_on_terminal({.arguments = std::move(words), .folder = folder_.path()}, width, seen);
  }
  // A run to be talked to while it goes on.
  [[nodiscard]] ChildProcess begin(Words words) const {
    words.insert(words.begin(), {almanac_path(), "run"});
    words.insert(words.end(), {"--dir", (folder_ / "log").string()});
    return ChildProcess(words);
  }
  [[nodiscard]] json task(int id) const {
    return json::parse(almanac({"show", std::to_string(id), "--json"}).output);
  }
  // A workload of these scripts, each after the one before it. Answers its path.
  std::string chain(const std::vector<std::string>& scripts) const {
    std::string lines;
    for (std::size_t i = 0; i < scripts.size(); ++i) {
      json task{{"name", "task-" + std::to_string(i + 1)}, {"shell", scripts[i]}};
      if (i > 0) task["after"] = {"task-" + std::to_string(i)};
      lines += task.dump() + "\n";
    }
    write_file(folder_ / "w.jsonl", lines);
    return folder_ / "w.jsonl";
  }

  TempFolder folder_;
};

std::string rest_of(ChildProcess& process) {
  std::string text;
  for (auto line = process.read_line(); line != "(end)"; line = process.read_line()) {
    text += line + "\n";
  }
  return text;
}

bool matches(const std::string& text, const char* pattern) {
  return std::regex_search(text, std::regex(pattern));
}

TEST_F(Run, RunsAWorkloadToItsEndAndClosesWithATable) {
  auto done = almanac({"run", chain({"echo one", "echo two"})});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.errors, "");
  EXPECT_TRUE(matches(done.output, "^succeeded  task-1  \\(attempt 1, [^)]*\\)\n")) << done.output;
  EXPECT_TRUE(matches(done.output, "\nID  TASK    STATE      ATTEMPTS  TIME +WHY\n"))
      << done.output;
  EXPECT_TRUE(matches(done.output, "\n2   task-2  succeeded  1         [^ ]+\n")) << done.output;
  EXPECT_TRUE(
      matches(done.output, "\n2 tasks: 2 succeeded, 0 failed, 0 cancelled in [0-9.]+m?s\n$"))
      << done.output;
}

TEST_F(Run, ExitsWithOneAndSaysWhyWhenATaskFails) {
  auto done = almanac({"run", chain({"exit 3", "true"})});
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.errors, "");
  EXPECT_TRUE(matches(done.output, "\n1 +task-1 +failed +1 +[^ ]+ +exit code 3\n")) << done.output;
  EXPECT_TRUE(matches(done.output, "\n2 +task-2 +cancelled +0 +- +depends on task 1, which failed"))
      << done.output;
  EXPECT_TRUE(contains(done.output, "`almanac show ID --dir log` shows what a task wrote"))
      << done.output;
}

TEST_F(Run, ASecondRunRepeatsNothing) {
  auto workload = chain({"echo first >> " + (folder_ / "effects").string(), "exit 1"});
  auto first = almanac({"run", workload});
  auto second = almanac({"run", workload});
  EXPECT_EQ(first.code, 1);
  EXPECT_EQ(second.code, 1);
  EXPECT_EQ(read_file(folder_ / "effects"), "first\n");
  EXPECT_FALSE(contains(second.output, "(attempt")) << second.output;
  EXPECT_TRUE(contains(second.output, "2 tasks: 1 succeeded, 1 failed, 0 cancelled"))
      << second.output;
}

TEST_F(Run, ReadsAWorkloadFromStandardInput) {
  auto done = almanac({"run", "-"}, "{\"shell\":\"true\"}\n{\"shell\":\"true\"}\n");
  EXPECT_EQ(done.code, 0) << done.errors;
  EXPECT_TRUE(contains(done.output, "line-2")) << done.output;
  EXPECT_TRUE(contains(done.output, "2 tasks: 2 succeeded")) << done.output;
}

TEST_F(Run, WithoutAWorkloadRunsWhatWasSubmittedAndHasNotEnded) {
  auto submit = [&](const std::string& name) {
    auto done =
        run_almanac({.arguments = {"submit", "--dir", "log", "--name", name, "--", "/bin/true"},
                     .folder = folder_.path()});
    EXPECT_EQ(done.code, 0) << done.errors;
  };
  submit("one");
  EXPECT_TRUE(contains(almanac({"run"}).output, "\n1 task: 1 succeeded"));
  submit("two");
  auto second = almanac({"run"});
  EXPECT_TRUE(contains(second.output, "two")) << second.output;
  EXPECT_FALSE(contains(second.output, "one")) << second.output;
  auto third = almanac({"run"});
  EXPECT_EQ(third.code, 0);
  EXPECT_EQ(third.output, "nothing to run: every task of this folder has ended\n");
}

TEST_F(Run, JsonTellsEveryAttemptAndEndsWithTheDigestOfTheLog) {
  write_file(folder_ / "w.jsonl",
             "{\"shell\":\"test $ALMANAC_ATTEMPT = 2\",\"attempts\":2,\"backoff\":\"1ms\"}\n");
  auto done = almanac({"run", "w.jsonl", "--json"});
  EXPECT_EQ(done.code, 0) << done.errors;
  auto lines = lines_of(done.output);
  ASSERT_EQ(lines.size(), 3U) << done.output;
  EXPECT_EQ(json::parse(lines.at(0)).at("state"), "retrying");
  EXPECT_EQ(json::parse(lines.at(0)).at("message"), "exit code 1");
  EXPECT_EQ(json::parse(lines.at(1)).at("state"), "succeeded");
  EXPECT_EQ(json::parse(lines.at(1)).at("attempt"), 2);
  auto closing = json::parse(lines.at(2));
  EXPECT_EQ(closing.at("tasks"), 1);
  EXPECT_EQ(closing.at("succeeded"), 1);
  auto replayed = json::parse(almanac({"state", "digest", "--json"}).output);
  EXPECT_EQ(closing.at("digest"), replayed.at("digest"));
  EXPECT_EQ(closing.at("position"), replayed.at("position"));
}

TEST_F(Run, ALargeWorkloadIsMilestonesAndWhatWentWrong) {
  std::string lines;
  for (int i = 1; i <= 100; ++i)
    lines += i == 50 ? "{\"shell\":\"exit 9\"}\n" : "{\"shell\":\":\"}\n";
  write_file(folder_ / "w.jsonl", lines);
  auto done = almanac({"run", "w.jsonl"});
  EXPECT_EQ(done.code, 1);
  EXPECT_TRUE(matches(done.output, "\n[0-9]+/100 ended, [01] failed\n")) << done.output;
  EXPECT_TRUE(contains(done.output, "line-50  failed")) << done.output;
  EXPECT_FALSE(contains(done.output, "line-51 ")) << done.output;
  EXPECT_LT(lines_of(done.output).size(), 40U) << done.output;
  auto all = almanac({"run", "w.jsonl", "--all"});
  EXPECT_TRUE(contains(all.output, "line-51 ")) << all.output;
}

// Together more than the log takes at once. Every task waits for the first one, which is submitted
// in front of most of them.
TEST_F(Run, SubmitsWhatIsTooLargeForOneSubmissionInSeveral) {
  constexpr int tasks = 180;
  const std::string ballast(100'000, 'x');
  std::string lines;
  for (int i = 1; i <= tasks; ++i) {
    json task{{"name", "task-" + std::to_string(i)}, {"shell", "true # " + ballast}};
    if (i > 1) task["after"] = {"task-1"};
    lines += task.dump() + "\n";
  }
  ASSERT_GT(lines.size(), limits::batch_bytes_max);
  write_file(folder_ / "w.jsonl", lines);
  auto done = almanac({"run", folder_ / "w.jsonl", "--json"});
  ASSERT_EQ(done.code, 0) << done.errors;
  EXPECT_EQ(json::parse(lines_of(done.output).back()).at("succeeded"), tasks);
}

TEST_F(Run, HasAsManySlotsAsItIsTold) {
  EXPECT_EQ(almanac({"run", chain({"true"}), "--slots", "3"}).code, 0);
  auto first = almanac({"log", "cat", "--to", "1", "--json"});
  EXPECT_EQ(json::parse(first.output).at("slots"), 3);
}

// ---- Where it prints ----

TEST_F(Run, EndsAndSaysWhyWhenACircuitIsKeptOpen) {
  ASSERT_EQ(almanac({"circuit", "open", "search"}).code, 0);
  write_file(folder_ / "w.toml",
             "[[task]]\nname = \"ask\"\nshell = \"true\"\nneeds = { search = 1 }\n");
  const auto done = almanac({"run", "w.toml"});
  EXPECT_EQ(done.code, 1);
  EXPECT_TRUE(contains(done.output, "the circuit of search is forced open")) << done.output;
  EXPECT_TRUE(contains(done.output, "1 not finished")) << done.output;
}

TEST_F(Run, EndsAndSaysWhyWhenNothingRunsTasksOfAKind) {
  {
    auto engine = Engine::open({.folder = folder_ / "log"});
    ASSERT_TRUE(engine) << describe(engine.error());
    ASSERT_TRUE((*engine)->submit({.kind = "page"}));
  }
  const auto done = almanac({"run"});
  EXPECT_EQ(done.code, 1);
  EXPECT_TRUE(contains(done.output, "nothing in this engine runs tasks of kind page"))
      << done.output;
}

TEST_F(Run, SaysOnATerminalWhatIsWaitedForWhileNothingRuns) {
  write_file(folder_ / "w.toml", "[[task]]\nname = \"late\"\nshell = \"true\"\ndelay = \"1s\"\n");
  const auto done = on_terminal({"run", "w.toml"}, 120);
  EXPECT_EQ(done.code, 0);
  EXPECT_TRUE(contains(done.output, "; late: not before 20")) << done.output;
}

TEST_F(Run, SaysOnceWithoutATerminalThatItWaitsForATime) {
  write_file(folder_ / "w.toml", "[[task]]\nname = \"late\"\nshell = \"true\"\ndelay = \"1s\"\n");
  const auto done = almanac({"run", "w.toml"});
  EXPECT_EQ(done.code, 0);
  const auto said = done.output.find("waiting    late  not before 20");
  EXPECT_NE(said, std::string::npos) << done.output;
  EXPECT_EQ(done.output.find("waiting", said + 1), std::string::npos) << done.output;
}

TEST_F(Run, PrintsPlainLinesWhereThereIsNoTerminal) {
  auto done = almanac({"run", chain({"true", "exit 1"})});
  EXPECT_FALSE(contains(done.output, "\r")) << done.output;
  EXPECT_FALSE(contains(done.output, "\033")) << done.output;
}

TEST_F(Run, MovesOneLineOnATerminalAndFitsItsWidth) {
  write_file(
      folder_ / "w.jsonl",
      json{{"name", std::string(200, 'n')}, {"shell", "exit 3"}}.dump() + "\n" +
          json{{"name", "日本語の名前日本語の名前日本語の名前日本語の名前"}, {"shell", "true"}}
              .dump() +
          "\n");
  for (std::size_t width : {80U, 60U}) {
    std::filesystem::remove_all(folder_ / "log");
    auto done = on_terminal({"run", "w.jsonl"}, width);
    SCOPED_TRACE(done.output);
    EXPECT_EQ(done.code, 1);
    std::string text = std::regex_replace(done.output, std::regex("\r\n"), "\n");
    EXPECT_TRUE(matches(text, "\r\033\\[K[0-2]/2 ended, [0-2] running, [01] failed, [0-9]+/s"));
    EXPECT_TRUE(contains(text, "\r\033[K\nID")) << "it goes before the table comes";
    EXPECT_TRUE(matches(text, "n… +failed"));
    EXPECT_TRUE(contains(text, "exit code 3"));
    text = std::regex_replace(text, std::regex("\r\033\\[K"), "\n");
    for (const auto& line : lines_of(text)) EXPECT_LE(columns(line), width) << line;
  }
}

TEST_F(Run, CountsWhatHadEndedBeforeItBegan) {
  HeldTask held(folder_);
  auto workload = chain({"true", held.script()});
  auto first = begin({workload, "--grace", "0s"});
  held.wait_until_it_runs();
  first.kill(SIGTERM);
  (void)rest_of(first);
  EXPECT_EQ(first.wait(), 0);
  bool told = false;
  auto second = on_terminal({"run", workload}, 80, [&](const std::string& text, const Terminal&) {
    if (!told && contains(text, " 1 running")) held.let_go();
    told = told || contains(text, " 1 running");
  });
  EXPECT_TRUE(contains(second.output, "1/2 ended, 1 running")) << second.output;
  EXPECT_FALSE(contains(second.output, "0/2 ended")) << second.output;
  EXPECT_TRUE(contains(second.output, "2 tasks: 2 succeeded")) << second.output;
}

// ---- How it stops ----

class StoppedRun : public Run, public testing::WithParamInterface<int> {};

TEST_P(StoppedRun, LetsATaskFinishAndLeavesTheRestToTheNextRun) {
  HeldTask held(folder_);
  auto workload = chain({held.script(), "true"});
  auto run = begin({workload, "--grace", "10m"});
  held.wait_until_it_runs();
  run.kill(GetParam());
  EXPECT_EQ(run.read_line(),
            "stopping: 1 task may go on for 10m; a second Ctrl-C ends that at once");
  held.let_go();
  auto rest = rest_of(run);
  EXPECT_EQ(run.wait(), 0);
  EXPECT_TRUE(contains(rest, "2 tasks: 1 succeeded, 0 failed, 0 cancelled, 1 not finished"))
      << rest;
  EXPECT_TRUE(contains(rest, "run it again to go on\n")) << rest;
  EXPECT_EQ(almanac({"run", workload}).code, 0);
  EXPECT_EQ(task(1).at("attempts"), 1);
  EXPECT_EQ(task(2).at("state"), "succeeded");
}

TEST_P(StoppedRun, HandsBackWhatDoesNotFinishInTime) {
  HeldTask held(folder_);
  auto workload = chain({held.script()});
  auto first = begin({workload, "--grace", "0s"});
  held.wait_until_it_runs();
  first.kill(GetParam());
  EXPECT_TRUE(contains(rest_of(first), "1 not finished"));
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(task(1).at("state"), "ready");
  auto second = begin({workload});
  held.wait_until_it_runs();
  held.let_go();
  (void)rest_of(second);
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(task(1).at("state"), "succeeded");
  EXPECT_EQ(task(1).at("attempts"), 2);
  EXPECT_EQ(task(1).at("failures"), 0);
}

TEST_P(StoppedRun, EndsAtOnceWhenItIsToldTwice) {
  HeldTask held(folder_);
  auto run = begin({chain({held.script("trap '' TERM INT; ")}), "--grace", "10h"});
  held.wait_until_it_runs();
  run.kill(GetParam());
  EXPECT_TRUE(run.read_line().starts_with("stopping: "));
  auto told = std::chrono::steady_clock::now();
  run.kill(GetParam());
  EXPECT_TRUE(contains(rest_of(run), "1 not finished"));
  EXPECT_EQ(run.wait(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - told, EngineOptions().kill_grace);
  EXPECT_EQ(task(1).at("state"), "ready");
}

TEST_P(StoppedRun, ClosesItsJsonWithWhatIsLeft) {
  HeldTask held(folder_);
  auto run = begin({chain({held.script(), "true"}), "--grace", "0s", "--json"});
  held.wait_until_it_runs();
  run.kill(GetParam());
  auto closing = json::parse(rest_of(run), nullptr, false);
  EXPECT_EQ(run.wait(), 0);
  ASSERT_TRUE(closing.is_object()) << closing;
  EXPECT_EQ(closing.at("unfinished"), 2);
  EXPECT_EQ(closing.at("digest"),
            json::parse(almanac({"state", "digest", "--json"}).output).at("digest"));
}

INSTANTIATE_TEST_SUITE_P(By, StoppedRun, testing::Values(SIGINT, SIGTERM), [](const auto& signal) {
  return signal.param == SIGINT ? "Interrupt" : "Termination";
});

}  // namespace
}  // namespace almanac::test
