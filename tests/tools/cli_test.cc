// The commands but `run`, as a person and as a script meets them.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/process_watch.h>
#include <almanac/tests/support/temp_folder.h>

#include <almanac/tools/text.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

// A folder in which commands are typed, all for the log "log".
class Cli : public testing::Test {
 protected:
  // Standard output of a command that succeeds and complains about nothing.
  std::string almanac(Words words, std::string input = {}) {
    auto done = run(std::move(words), std::move(input));
    EXPECT_EQ(done.code, 0) << done.errors;
    EXPECT_EQ(done.errors, "");
    return done.output;
  }
  std::vector<json> almanac_json(Words words) {
    words.insert(std::ranges::find(words, "--"), "--json");
    std::vector<json> values;
    for (const auto& line : lines_of(almanac(words))) {
      values.push_back(json::parse(line, nullptr, false));
      EXPECT_TRUE(values.back().is_object()) << line;
    }
    return values;
  }
  CommandOutput run(Words words, std::string input = {}) {
    return run_almanac({.arguments = std::move(words),
                        .folder = folder_.path(),
                        .input = std::move(input),
                        .environment = {{"ALMANAC_DIR", "log"}}});
  }
  // One task of a workload of this text, run to its end, which is not always a good one.
  void run_task(const std::string& task) {
    write_file(folder_ / "w.jsonl", task);
    (void)run({"run", "w.jsonl"});
  }

  TempFolder folder_;
};

// What a terminal would obey, or show in another order than it was written.
bool has_control_characters(std::string_view text) {
  for (char c : text) {
    if ((c >= 0 && c < ' ' && c != '\n') || c == 0x7f) return true;
  }
  return text.find("\u202e") != std::string_view::npos ||
         text.find("\u009b") != std::string_view::npos;
}

// The names below "Subcommands:".
std::vector<std::string> listed_commands(const std::string& help) {
  std::vector<std::string> names;
  bool is_list = false;
  for (const auto& line : lines_of(help)) {
    if (line.empty()) is_list = false;
    if (is_list && line.starts_with("  ") && line.at(2) != ' ') {
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
    if (line == "Subcommands:") is_list = true;
  }
  return names;
}

bool names_a_guide(const std::string& help) {
  constexpr std::string_view mark = "\nGuide: ";
  const auto begin = help.find(mark);
  if (begin == std::string::npos) return false;
  const auto path =
      help.substr(begin + mark.size(), help.find('\n', begin + 1) - begin - mark.size());
  const char* source = std::getenv("ALMANAC_SOURCE_DIR");
  return std::filesystem::exists(std::filesystem::path(source == nullptr ? "." : source) / path);
}

TEST_F(Cli, HelpOfEveryCommandHasAnExampleAndAGuideAndFitsEightyColumns) {
  std::vector<Words> commands = {{}};
  for (std::size_t i = 0; i < commands.size(); ++i) {
    Words typed = commands[i];
    typed.push_back("--help");
    const auto help = almanac(typed);
    SCOPED_TRACE(help);
    for (const auto& name : listed_commands(help)) {
      Words inner = commands[i];
      inner.push_back(name);
      commands.push_back(inner);
    }
    EXPECT_NE(help.find("\nExample:\n  almanac "), std::string::npos);
    EXPECT_NE(help.find("\nUsage: almanac"), std::string::npos);
    EXPECT_EQ(help.find("18446744073709551615"), std::string::npos);
    const bool is_small = commands[i].empty() || commands[i] == Words{"version"};
    EXPECT_TRUE(is_small || names_a_guide(help));
    for (const auto& line : lines_of(help)) EXPECT_LE(columns(line), 80U) << line;
    typed.pop_back();
    typed.insert(typed.begin(), "help");
    EXPECT_EQ(almanac(typed), help);
  }
  EXPECT_GT(commands.size(), 100U);
}

TEST_F(Cli, HelpOfWhatIsNoCommandSaysSo) {
  const auto done = run({"help", "log", "catt"});
  EXPECT_EQ(done.code, 2);
  EXPECT_EQ(done.output, "");
  EXPECT_EQ(done.errors, "almanac: there is no command 'catt'\n  did you mean 'cat'?\n");
}

TEST_F(Cli, HelpOfEverythingHasTheOptionsOfEveryCommand) {
  auto help = almanac({"--help-all"});
  for (auto name : {"\nrun\n", "\nlog cat\n", "\nsnapshot restore\n", "\ncircuit set\n",
                    "--correlation", "--user-keys", "--cooldown-max"}) {
    EXPECT_NE(help.find(name), std::string::npos) << name;
  }
  for (const auto& line : lines_of(help)) EXPECT_LE(columns(line), 80U) << line;
}

TEST_F(Cli, VersionIsTheSameByCommandOptionAndJson) {
  auto version = almanac({"version"});
  EXPECT_EQ(almanac({"--version"}), version);
  EXPECT_EQ("almanac " + almanac_json({"version"}).at(0).at("version").get<std::string>() + "\n",
            version);
}

TEST_F(Cli, TasksAreSubmittedRunShownAndCancelled) {
  EXPECT_EQ(almanac({"submit", "--name", "greet", "--", "echo", "hello", "world"}), "task 1\n");
  EXPECT_EQ(almanac({"submit", "--after", "1", "--tag", "x", "--tag", "y", "--", "/bin/true"}),
            "task 2\n");
  EXPECT_EQ(almanac({"submit", "--delay", "10h", "--", "/bin/true"}), "task 3\n");
  EXPECT_EQ(almanac({"cancel", "2", "--reason", "not today"}), "task 2 cancelled\n");
  EXPECT_EQ(almanac({"cancel", "3"}), "task 3 cancelled\n");
  almanac({"run"});
  auto greet = almanac({"show", "1"});
  EXPECT_NE(greet.find("label         greet\n"), std::string::npos) << greet;
  EXPECT_NE(greet.find("command       echo hello world\n"), std::string::npos) << greet;
  EXPECT_NE(greet.find("state         succeeded\n"), std::string::npos) << greet;
  EXPECT_NE(greet.find("output\n  hello world\n"), std::string::npos) << greet;
  auto cancelled = almanac({"show", "2"});
  EXPECT_NE(cancelled.find("tags          x, y\n"), std::string::npos) << cancelled;
  EXPECT_NE(cancelled.find("after         1\n"), std::string::npos) << cancelled;
  EXPECT_NE(cancelled.find("reason        not today\n"), std::string::npos) << cancelled;
}

TEST_F(Cli, ListFindsTasksByStateQueueAndTag) {
  EXPECT_EQ(run({"list"}).code, 3) << "there is no log yet";
  almanac({"submit", "--queue", "disk", "--tag", "night", "--", "/bin/true"});
  almanac({"submit", "--after", "1", "--", "/bin/true"});
  almanac({"submit", "--run-at", "2126-11-21T10:00:00Z", "--", "/bin/true"});
  auto ids = [&](Words words) {
    words.insert(words.begin(), "list");
    std::set<int> found;
    for (const json& task : almanac_json(words)) found.insert(task.at("id").get<int>());
    return found;
  };
  EXPECT_EQ(ids({}), (std::set{1, 2, 3}));
  EXPECT_EQ(ids({"--state", "ready"}), (std::set{1}));
  EXPECT_EQ(ids({"--state", "waiting", "delayed"}), (std::set{2, 3}));
  EXPECT_EQ(ids({"--queue", "disk"}), (std::set{1}));
  EXPECT_EQ(ids({"--queue", "default"}), (std::set{2, 3}));
  EXPECT_EQ(ids({"--tag", "night"}), (std::set{1}));
  EXPECT_EQ(ids({"--tag", "day"}), std::set<int>());
  EXPECT_EQ(ids({"--limit", "2"}), (std::set{1, 2}));
  EXPECT_NE(almanac({"list", "--limit", "1"}).find("2 more; --limit 0"), std::string::npos);
  EXPECT_EQ(almanac({"list", "--tag", "day"}), "no tasks match\n");
}

TEST_F(Cli, ATaskWithoutANameIsCalledByItsCommandAsFarAsSixtyColumnsGo) {
  almanac({"submit", "--", "sh", "-c", "echo 'it is'; exit 0"});
  almanac({"submit", "--", "echo", std::string(100, 'x')});
  auto tasks = almanac_json({"list"});
  EXPECT_EQ(tasks.at(0).at("label"), "sh -c 'echo '\\''it is'\\''; exit 0'");
  EXPECT_EQ(tasks.at(1).at("label"), "echo " + std::string(54, 'x') + "…");
}

TEST_F(Cli, AKeySubmitsOnce) {
  const Words submit = {"submit", "--key", "nightly", "--", "/bin/true"};
  EXPECT_EQ(almanac_json(submit).at(0), (json{{"id", 1}, {"existed", false}}));
  EXPECT_EQ(almanac_json(submit).at(0), (json{{"id", 1}, {"existed", true}}));
  EXPECT_EQ(almanac(submit), "task 1 (submitted before under this key)\n");
  EXPECT_EQ(almanac_json({"list"}).size(), 1U);
}

TEST_F(Cli, EveryCommandForProgramsPrintsJsonLines) {
  EXPECT_EQ(almanac_json({"submit", "--", "/bin/echo", "\xc3\xbc"}).at(0).at("id"), 1);
  auto run = almanac_json({"run"});
  EXPECT_EQ(run.at(0).at("state"), "succeeded");
  EXPECT_EQ(run.at(1).at("succeeded"), 1);
  EXPECT_EQ(almanac_json({"list"}).at(0).at("state"), "succeeded");
  EXPECT_EQ(almanac_json({"show", "1"}).at(0).at("output"), "\xc3\xbc\n");
  auto verified = almanac_json({"log", "verify"}).at(0);
  EXPECT_EQ(almanac_json({"log", "cat"}).size(), verified.at("events"));
  EXPECT_EQ(almanac_json({"state", "digest"}).at(0).at("position"), verified.at("events"));
}

TEST_F(Cli, LogCatPrintsTheEventsBetweenTwoPositions) {
  almanac({"submit", "--", "/bin/true"});
  almanac({"run"});
  auto all = lines_of(almanac({"log", "cat"}));
  ASSERT_GT(all.size(), 4U);
  EXPECT_EQ(lines_of(almanac({"log", "cat", "--from", "2", "--to", "3"})),
            (std::vector<std::string>{all.at(1), all.at(2)}));
  EXPECT_EQ(almanac({"log", "cat", "--from", "9999"}), "");
  EXPECT_NE(all.at(1).find("TaskEnqueued"), std::string::npos) << all.at(1);
}

TEST_F(Cli, DigestAndVerificationSayTheSameInBothForms) {
  almanac({"submit", "--", "/bin/true"});
  auto digest = almanac_json({"state", "digest"}).at(0).at("digest").get<std::string>();
  EXPECT_EQ(almanac({"state", "digest"}), "position 3\ndigest   " + digest + "\n");
  auto verified = almanac_json({"log", "verify"}).at(0);
  auto text = almanac({"log", "verify"});
  EXPECT_TRUE(text.starts_with("whole: 3 events in ")) << text;
  EXPECT_NE(text.find(verified.at("digest").get<std::string>()), std::string::npos) << text;
}

TEST_F(Cli, ShowOutputGivesTheBytesAsTheyWereWritten) {
  run_task(R"({"shell":"printf 'a\\000\\377\\033[31m\\nb'"})");
  EXPECT_EQ(almanac({"show", "1", "--output"}), std::string("a\0\xff\x1b[31m\nb", 10));
}

TEST_F(Cli, TextOfTasksNeverControlsTheTerminal) {
  run_task(R"({"name":"red\u202e\u009bname","shell":"printf '\\033[31m\\rred\\007'; exit 3"})");
  almanac({"submit", "--name", "\x1b]0;title\x07\xff", "--queue", "q", "--", "/bin/true", "\x1b"});
  almanac({"cancel", "2", "--reason", "\x1b[2J"});
  const std::vector<Words> commands = {
      {"list"}, {"show", "1"}, {"show", "2"}, {"log", "cat"}, {"run", "w.jsonl"}};
  for (const Words& command : commands) {
    auto text = run(command).output;
    EXPECT_FALSE(has_control_characters(text)) << text;
  }
  auto shown = almanac({"show", "1"});
  EXPECT_NE(shown.find("\n  \\x1b[31m\\rred\\x07\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("red\\xe2\\x80\\xae\\xc2\\x9bname"), std::string::npos) << shown;
  for (const Words& command : {Words{"list"}, Words{"show", "2"}, Words{"log", "cat"}}) {
    EXPECT_FALSE(almanac_json(command).empty());
  }
}

TEST_F(Cli, ReadingCommandsWorkWhileARunIsGoingOn) {
  NamedPipe arrived(folder_ / "arrived");
  NamedPipe never(folder_ / "never");
  auto task = "echo here > " + arrived.path() + "; exec cat " + never.path();
  almanac({"submit", "--name", "first", "--", "/bin/true"});
  almanac({"submit", "--name", "second", "--after", "1", "--", "/bin/sh", "-c", task});
  ChildProcess runner({almanac_path(), "run", "--dir", folder_ / "log"});
  ASSERT_EQ(arrived.read_line(), "here");
  EXPECT_EQ(almanac_json({"list", "--state", "running"}).at(0).at("label"), "second");
  EXPECT_EQ(almanac_json({"show", "1"}).at(0).at("state"), "succeeded");
  EXPECT_EQ(almanac_json({"show", "2"}).at(0).at("state"), "running");
  EXPECT_EQ(almanac({"show", "2", "--output"}), "");
  EXPECT_GT(almanac_json({"log", "cat"}).size(), 4U);
  EXPECT_TRUE(almanac({"log", "verify"}).starts_with("whole: "));
  EXPECT_TRUE(almanac({"state", "digest"}).starts_with("position "));
  EXPECT_EQ(run({"submit", "--", "/bin/true"}).code, 4);
}

TEST_F(Cli, TheFolderIsAnOptionElseAVariableElseALocalOne) {
  auto in_folder = [&](Words words, std::string variable) {
    auto done = run_almanac({.arguments = std::move(words),
                             .folder = folder_.path(),
                             .environment = {{"ALMANAC_DIR", variable}}});
    EXPECT_EQ(done.code, 0) << done.errors;
  };
  auto is_log = [&](const char* name) {
    return std::filesystem::exists(folder_ / name / "log/data.mdb");
  };
  in_folder({"submit", "--dir", "option", "--", "/bin/true"}, "variable");
  EXPECT_TRUE(is_log("option") && !is_log("variable") && !is_log(".almanac"));
  in_folder({"submit", "--", "/bin/true"}, "variable");
  EXPECT_TRUE(is_log("variable") && !is_log(".almanac"));
  in_folder({"submit", "--", "/bin/true"}, "");
  EXPECT_TRUE(is_log(".almanac"));
}

TEST_F(Cli, AReaderThatGoesAwayIsNoError) {
  // More than a buffer holds, so that it is missed in the middle and not only at the end.
  almanac({"submit", "--", "/bin/true", std::string(100'000, 'x')});
  auto without_reader = [this](Words words, bool signal_is_ignored) {
    return run_almanac({.arguments = std::move(words),
                        .folder = folder_.path(),
                        .environment = {{"ALMANAC_DIR", "log"}},
                        .in_child = [signal_is_ignored] {
                          std::array<int, 2> ends{};
                          (void)!::pipe(ends.data());
                          ::close(ends[0]);
                          ::dup2(ends[1], STDOUT_FILENO);
                          ::signal(SIGPIPE, signal_is_ignored ? SIG_IGN : SIG_DFL);
                        }});
  };
  for (const Words& words : {Words{"list"}, Words{"log", "cat"}, Words{"log", "cat", "--json"},
                             Words{"show", "1"}, Words{"--help"}}) {
    auto killed = without_reader(words, false);
    EXPECT_EQ(killed.code, -SIGPIPE);
    EXPECT_EQ(killed.errors, "");
    auto told = without_reader(words, true);
    EXPECT_EQ(told.code, 0);
    EXPECT_EQ(told.errors, "");
  }
}

TEST_F(Cli, WhatWasDoneAndCouldNotBePrintedIsSaidToBeDone) {
  const auto done = run_almanac({.arguments = {"submit", "--dir", "log", "--", "/bin/true"},
                                 .folder = folder_.path(),
                                 .in_child = [] {
                                   const int full = ::open("/dev/full", O_WRONLY);
                                   ::dup2(full, STDOUT_FILENO);
                                 }});
  EXPECT_EQ(done.code, 9);
  EXPECT_NE(done.errors.find("what was asked for is done"), std::string::npos) << done.errors;
  EXPECT_EQ(almanac_json({"list"}).size(), 1U);
}

TEST_F(Cli, TokensAreListedWithoutAFolderOfTheirOwnAndMadeBeforeTheLog) {
  const auto folder = folder_ / "log";
  std::filesystem::create_directory(folder);
  EXPECT_EQ(almanac({"token", "list"}), "no tokens; `almanac token create` makes one\n");
  const auto unknown = run({"token", "revoke", "ci"});
  EXPECT_EQ(unknown.code, 3);
  EXPECT_NE(unknown.errors.find("there is no token 'ci'"), std::string::npos) << unknown.errors;
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  EXPECT_EQ(run({"token", "create", "--name", "ci"}).code, 0);
  EXPECT_EQ(almanac({"submit", "--", "/bin/true"}), "task 1\n");
  EXPECT_NE(almanac({"token", "list"}).find("ci "), std::string::npos);
}

TEST_F(Cli, ChangesOfManyTasksAreCounted) {
  almanac({"submit", "--", "/bin/false"});
  almanac({"submit", "--", "/bin/false"});
  EXPECT_EQ(almanac({"retry", "--where", "state == \"failed\""}), "0 tasks run again\n");
  (void)run({"run"});
  EXPECT_EQ(almanac({"retry", "--where", "id == 1"}), "1 task runs again\n");
  EXPECT_EQ(almanac({"retry", "--where", "state == \"failed\""}), "1 task runs again\n");
}

TEST_F(Cli, ClosedStandardFilesNeverLeadIntoTheLog) {
  for (int i = 0; i < 3; ++i) {
    auto done = run_almanac({.arguments = {"submit", "--dir", "log", "--", "/bin/true"},
                             .folder = folder_.path(),
                             .in_child = [] {
                               for (int file = 0; file < 3; ++file) ::close(file);
                             }});
    EXPECT_EQ(done.code, 0);
  }
  EXPECT_EQ(almanac_json({"list"}).size(), 3U);
  EXPECT_TRUE(almanac({"log", "verify"}).starts_with("whole: "));
}

TEST_F(Cli, ListFitsTheTerminalAndLosesNoState) {
  almanac({"submit", "--queue", std::string(60, 'q'), "--name", std::string(300, 'n'), "--",
           "/bin/true"});
  almanac(
      {"submit", "--name", "日本語の名前日本語の名前日本語の名前日本語の名前", "--", "/bin/true"});
  for (std::size_t width : {80U, 60U}) {
    auto listed =
        run_on_terminal({.arguments = {"list", "--dir", "log"}, .folder = folder_.path()}, width);
    EXPECT_EQ(listed.code, 0);
    auto lines = lines_of(listed.output);
    ASSERT_EQ(lines.size(), 3U) << listed.output;
    for (auto& line : lines) {
      ASSERT_TRUE(line.ends_with('\r'));
      line.pop_back();
      EXPECT_LE(columns(line), width) << line;
    }
    EXPECT_NE(lines.at(1).find("ready"), std::string::npos);
    EXPECT_NE(lines.at(1).find("…"), std::string::npos);
  }
}

}  // namespace
}  // namespace almanac::test
