// `almanac replay`: what it prints, the pace it keeps, and its screen on a real terminal.
#include <almanac/tests/support/contains.h>
#include <almanac/tests/support/past_commands.h>

#include <almanac/tools/text.h>

#include <chrono>
#include <csignal>
#include <string>
#include <string_view>

namespace almanac::test {
namespace {

using nlohmann::json;

class Replay : public PastCommands {
 protected:
  std::vector<json> steps(Words words) {
    words.insert(words.begin(), {"replay", "--json"});
    std::vector<json> steps;
    for (const auto& line : lines_of(output(words))) steps.push_back(json::parse(line));
    return steps;
  }

  // Types the next keys whenever the screen was drawn, and answers the screens, one for each.
  struct Shown {
    CommandOutput outcome;
    std::vector<std::string> screens;
  };
  [[nodiscard]] Shown screens(Words words, const std::vector<std::string>& keys,
                              std::size_t width = 80) const {
    static constexpr std::string_view end = "\x1b[J";
    words.insert(words.begin(), {"replay", "--step"});
    Shown shown;
    std::size_t begin = 0;
    shown.outcome = run_on_terminal(
        invocation(words), width, [&](const std::string& text, const Terminal& terminal) {
          for (auto at = text.find(end, begin); at != text.npos; at = text.find(end, begin)) {
            shown.screens.push_back(without_controls(text.substr(begin, at - begin)));
            begin = at + end.size();
            if (shown.screens.size() <= keys.size()) terminal.type(keys[shown.screens.size() - 1]);
          }
        });
    return shown;
  }

 private:
  static std::string without_controls(std::string text) {
    for (std::string_view control : {"\x1b[H", "\x1b[K", "\r"}) {
      for (auto at = text.find(control); at != text.npos; at = text.find(control)) {
        text.erase(at, control.size());
      }
    }
    return text;
  }
};

TEST_F(Replay, PrintsEachEventAndWhatItChanged) {
  EXPECT_EQ(output({"replay"}), golden("replay.txt"));
  EXPECT_EQ(output({"replay", "--from", "16"}), "");
}

TEST_F(Replay, ItsChangesAreThoseBetweenNeighbours) {
  const auto all = steps({});
  ASSERT_EQ(all.size(), 16U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i]["event"]["position"], i + 1);
    auto changes = output_json({"diff", std::to_string(i), std::to_string(i + 1)})["changes"];
    for (auto& task : changes["tasks"]) task.erase("changed");
    if (changes["tasks"].empty()) changes.erase("tasks");
    EXPECT_EQ(all[i]["changes"], changes) << i;
  }
}

TEST_F(Replay, BeginsBehindOneMomentAndEndsAtAnother) {
  const auto some = steps({"--from", "9", "--to", "2026-11-21T10:11:30Z"});
  ASSERT_EQ(some.size(), 3U);
  EXPECT_EQ(some.front()["event"]["position"], 10);
  EXPECT_EQ(some.front()["changes"]["tasks"]["2"]["state"], (json::array({"running", "delayed"})));
  EXPECT_EQ(some.back()["event"]["position"], 12);
  EXPECT_EQ(run({"replay", "--from", "9", "--to", "8"}).code, 2);
  EXPECT_EQ(run({"replay", "--to", "17"}).code, 3);
  EXPECT_EQ(run({"replay", "--from", "yesterday"}).code, 2);
}

TEST_F(Replay, KeepsTheRecordedPace) {
  const auto began = std::chrono::steady_clock::now();
  // Three minutes between four events.
  EXPECT_EQ(steps({"--from", "2", "--to", "6", "--speed", "600"}).size(), 4U);
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, std::chrono::milliseconds(300));
  EXPECT_LT(took, std::chrono::minutes(1));
}

TEST_F(Replay, NeedsATerminalForItsScreen) {
  auto done = run({"replay", "--step"});
  EXPECT_EQ(done.code, 2);
  EXPECT_EQ(done.output, "");
  EXPECT_TRUE(contains(done.errors, "--step needs a terminal")) << done.errors;
  EXPECT_EQ(run({"replay", "--step", "--json"}).code, 2);
}

TEST_F(Replay, GoesForwardAndBackwardByKeys) {
  const auto shown =
      screens({}, {"n", " ", "\x1b[C", "p", "\x1b[D", "\x1b[F", "\x1b[C", "\x1b[H", "\x1b[D", "q"});
  EXPECT_EQ(shown.outcome.code, 0);
  EXPECT_TRUE(shown.outcome.echoes);
  const std::vector<int> positions = {0, 1, 2, 3, 2, 1, 16, 16, 0, 0};
  ASSERT_EQ(shown.screens.size(), positions.size());
  for (std::size_t i = 0; i < positions.size(); ++i) {
    EXPECT_TRUE(shown.screens[i].starts_with("position " + std::to_string(positions[i]) + " of "))
        << i << ": " << shown.screens[i];
  }
  EXPECT_EQ(shown.screens[2], shown.screens[4]) << "the same moment looks the same from both sides";
  EXPECT_TRUE(contains(shown.screens[7], "this is the end"));
  EXPECT_TRUE(contains(shown.screens[9], "this is the beginning"));
}

TEST_F(Replay, EveryMomentLooksTheSameFromBothSides) {
  std::vector<std::string> keys(16, "n");
  keys.insert(keys.end(), 16, "p");
  keys.emplace_back("q");
  const auto shown = screens({}, keys);
  ASSERT_EQ(shown.screens.size(), 33U);
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(shown.screens[i], shown.screens[32 - i]) << i;
}

TEST_F(Replay, GoesToAMoment) {
  const auto shown = screens({"--from", "3"}, {"g", "9", "\r", "g", "9", "9", "\r", "g", "2", "\r",
                                               "g", "x", "\x1b", "q"});
  ASSERT_EQ(shown.screens.size(), 14U);
  EXPECT_TRUE(shown.screens[2].ends_with("time: 9")) << shown.screens[2];
  EXPECT_TRUE(shown.screens[3].starts_with("position 9 of 3 to 16"));
  EXPECT_TRUE(contains(shown.screens[3], "TaskStarted"));
  EXPECT_TRUE(shown.screens[7].ends_with("the log ends at position 16, before 99"));
  EXPECT_TRUE(shown.screens[10].starts_with("position 3 of 3 to 16"));
  EXPECT_TRUE(shown.screens[10].ends_with("this is the beginning"));
  EXPECT_TRUE(shown.screens[13].ends_with("q quit")) << "Esc leaves things as they are";
}

TEST_F(Replay, GivesTheTerminalBackWhenASignalEndsIt) {
  for (int signal : {SIGINT, SIGTERM}) {
    bool sent = false;
    auto done = run_on_terminal(invocation({"replay", "--step"}), 80,
                                [&](const std::string& text, const Terminal& terminal) {
                                  if (sent || !text.ends_with("\x1b[J")) return;
                                  sent = true;
                                  ::kill(terminal.process, signal);
                                });
    EXPECT_TRUE(sent);
    EXPECT_EQ(done.code, 0) << signal;
    EXPECT_TRUE(done.echoes) << signal;
  }
  EXPECT_TRUE(screens({}, {"\x03"}).outcome.echoes) << "Ctrl-C";
}

TEST_F(Replay, FitsItsScreenOntoTheTerminal) {
  for (std::size_t width : {30U, 80U}) {
    const auto shown = screens({"--from", "14"}, {"n", "q"}, width);
    ASSERT_EQ(shown.screens.size(), 2U);
    EXPECT_TRUE(contains(shown.screens[1], "doomed")) << shown.screens[1];
    for (const auto& line : lines_of(shown.screens[1])) EXPECT_LE(columns(line), width) << line;
  }
}

TEST_F(Replay, SaysHowManyLinesDidNotFit) {
  auto events = told_events();
  events.resize(6);
  const std::vector<TaskId> fetch = {TaskId(1)};
  for (std::uint64_t id = 5; id <= 60; ++id) {
    events.push_back({.at = events.back().at,
                      .body = TaskEnqueued{.id = TaskId(id),
                                           .kind = "work",
                                           .queue = "web",
                                           .attempts_max = 1,
                                           .dependencies = fetch}});
  }
  events.push_back({.at = events.back().at, .body = TaskStarted{.id = TaskId(1), .attempt = 1}});
  const Lease lease(events.size());
  events.push_back({.at = events.back().at, .body = TaskSucceeded{TaskId(1), lease}});
  write_frames(folder_ / "many", {events});
  const auto shown = screens({"--dir", "many"}, {"\x1b[F", "q"});
  ASSERT_EQ(shown.screens.size(), 2U);
  EXPECT_EQ(lines_of(shown.screens[1]).size(), 24U) << shown.screens[1];
  EXPECT_TRUE(contains(shown.screens[1], "more lines")) << shown.screens[1];
}

}  // namespace
}  // namespace almanac::test
