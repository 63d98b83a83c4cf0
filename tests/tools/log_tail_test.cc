// `almanac log tail`: the last events, and those that come.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/log_commands.h>
#include <almanac/tests/support/test_log.h>

#include <almanac/tools/text.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using Positions = std::vector<int>;

class LogTailTest : public LogCommands {
 protected:
  LogTailTest() { write_frames(log_folder(), sample_frames()); }

  // `almanac log tail -f WORDS` in a process of its own.
  ChildProcess follow(const Words& words) {
    std::vector<std::string> line = {almanac_path(), "log", "tail", "-f", "--dir", log_folder()};
    line.insert(line.end(), words.begin(), words.end());
    return ChildProcess(line);
  }
};

int position_in(const std::string& line) {
  auto json = nlohmann::json::parse(line, nullptr, false);
  return json.is_object() ? json.at("position").get<int>() : 0;
}

Event failed_event(int minute) {
  return {.at = sample_time(minute), .body = TaskFailed{TaskId(1), Lease(2), {}}};
}

TEST_F(LogTailTest, PrintsTheLastEventsInTheirOrder) {
  EXPECT_EQ(positions({"tail"}), (Positions{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(positions({"tail", "-n", "3"}), (Positions{8, 9, 10}));
  EXPECT_EQ(positions({"tail", "-n", "0"}), Positions());
  EXPECT_EQ(positions({"tail", "-n", "99"}).size(), 10U);
  EXPECT_EQ(output({"tail", "-n", "1"}), lines_of(output({"cat"})).back() + "\n");
}

TEST_F(LogTailTest, FoldsWhatIsWiderThanTheTerminal) {
  const auto shown = run_on_terminal(
      {.arguments = {"log", "tail", "--dir", log_folder()}, .folder = folder_.path(), .input = {}},
      50);
  EXPECT_EQ(shown.code, 0);
  std::size_t folded_lines = 0;
  for (const std::string& line : lines_of(shown.output)) {
    EXPECT_LE(columns(line.substr(0, line.find('\r'))), 50U) << line;
    folded_lines += line.starts_with(std::string(10, ' ')) ? 1 : 0;
  }
  EXPECT_GE(folded_lines, 10U) << shown.output;
}

TEST_F(LogTailTest, PrintsTheLastThatMatch) {
  EXPECT_EQ(positions({"tail", "-n", "2", "--type", "custom"}), (Positions{4, 5}));
  EXPECT_EQ(positions({"tail", "-n", "2", "--to", "7"}), (Positions{6, 7}));
  EXPECT_EQ(positions({"tail", "-n", "9", "--stream", "nobody's"}), Positions());
}

TEST_F(LogTailTest, FollowsAWriterInAnotherProcess) {
  auto tail = follow({"-n", "1", "--json"});
  ASSERT_EQ(position_in(tail.read_line()), 10);
  TestLog log(log_folder());
  for (int next = 11; next < 30; ++next) {
    ASSERT_TRUE(log.append({failed_event(next)}));
    ASSERT_EQ(position_in(tail.read_line()), next);
  }
  ASSERT_TRUE(log.append(std::vector<Event>(500, failed_event(30))));
  for (int next = 30; next < 530; ++next) ASSERT_EQ(position_in(tail.read_line()), next);
}

TEST_F(LogTailTest, FollowsOnlyWhatMatches) {
  auto tail = follow({"-n", "1", "--json", "--type", "TaskFailed"});
  ASSERT_EQ(position_in(tail.read_line()), 7);
  TestLog log(log_folder());
  ASSERT_TRUE(log.append({{.at = sample_time(10), .body = EngineStopped{}}, failed_event(10)}));
  EXPECT_EQ(position_in(tail.read_line()), 12);
}

TEST_F(LogTailTest, EndsWellWhenItIsInterrupted) {
  for (int signal : {SIGINT, SIGTERM}) {
    auto tail = follow({"-n", "1", "--json"});
    ASSERT_EQ(position_in(tail.read_line()), 10);
    tail.kill(signal);
    EXPECT_EQ(tail.read_line(), "(end)");
    EXPECT_EQ(tail.wait(), 0);
  }
}

TEST_F(LogTailTest, EndsByItselfAtTheLastPositionItWasAskedFor) {
  auto tail = follow({"-n", "1", "--json", "--to", "12"});
  ASSERT_EQ(position_in(tail.read_line()), 10);
  TestLog log(log_folder());
  ASSERT_TRUE(log.append(std::vector<Event>(5, failed_event(10))));
  EXPECT_EQ(position_in(tail.read_line()), 11);
  EXPECT_EQ(position_in(tail.read_line()), 12);
  EXPECT_EQ(tail.read_line(), "(end)");
  EXPECT_EQ(tail.wait(), 0);
}

TEST_F(LogTailTest, EndsSilentlyWhenNobodyReadsItAlsoWhileNothingComes) {
  for (const char* count : {"0", "10"}) {
    auto done = run_almanac({.arguments = {"log", "tail", "-f", "-n", count, "--dir", "log"},
                             .folder = folder_.path(),
                             .in_child = [] {
                               std::array<int, 2> ends{};
                               (void)!::pipe(ends.data());
                               ::close(ends[0]);
                               ::dup2(ends[1], STDOUT_FILENO);
                             }});
    EXPECT_EQ(done.code, 0);
    EXPECT_EQ(done.errors, "");
  }
}

TEST_F(LogTailTest, FollowsALogThatIsStillEmpty) {
  std::filesystem::remove_all(log_folder());
  TestLog log(log_folder());
  auto tail = follow({"--json"});
  ASSERT_TRUE(log.append({failed_event(1)}));
  EXPECT_EQ(position_in(tail.read_line()), 1);
}

}  // namespace
}  // namespace almanac::test
