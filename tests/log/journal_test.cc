// What a log makes of its journal when it is opened: after a kill, after damage, and after somebody
// moved its files around.
#include <almanac/log/log.h>
#include <almanac/log/verify.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/contains.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

const char* const data_file = "log/data.mdb";
const char* const journal = "log/journal";
const char* const first_segment = "log/journal/segment-0";

// A log of numbered events whose writer was killed before all of them were in the store. It was
// appended to in frames of so many events.
void make_killed_log(const fs::path& folder, const std::vector<std::uint64_t>& frames) {
  ChildProcess writer({program_path("log_peer"), "write", folder});
  ASSERT_TRUE(writer.read_line().starts_with("open "));
  for (auto count : frames) {
    ASSERT_TRUE(writer.ask("append " + std::to_string(count)).starts_with("appended through "));
  }
  writer.kill(SIGKILL);
  EXPECT_EQ(writer.wait(), -SIGKILL);
}

Error open_error(const fs::path& folder, Access access = Access::write) {
  auto log = Log::open(folder, {.access = access});
  return log ? Error{ErrorCode::invalid, "it was opened", ""} : log.error();
}

void expect_numbered_events(const fs::path& folder, std::uint64_t last) {
  for (auto access : {Access::read, Access::write, Access::read}) {
    auto log = Log::open(folder, {.access = access});
    ASSERT_TRUE(log) << log.error().message;
    EXPECT_EQ((*log)->opened_tail().last, Position(last));
    EXPECT_EQ(read_texts(**log), texts_of(numbered_events(1, last)));
    EXPECT_TRUE(verify(**log));
  }
}

TEST(Recovery, FindsInTheJournalWhatTheStoreHasNot) {
  TempFolder folder;
  make_killed_log(folder / "log", {1, 2, 3, 4});
  expect_numbered_events(folder / "log", 10);
}

TEST(Recovery, CanItselfBeKilledAgainAndAgain) {
  TempFolder folder;
  make_killed_log(folder / "log", {5});
  for (int round = 0; round < 3; ++round) make_killed_log(folder / "log", {});
  make_killed_log(folder / "log", {5});
  expect_numbered_events(folder / "log", 10);
}

TEST(Recovery, LeavesOutALastFrameOfWhichAPartIsMissing) {
  TempFolder folder;
  make_killed_log(folder / "log", {1, 2});
  fs::remove(folder / "log/log/durable");  // nobody was told that it was there
  auto segment = read_file(folder / "log" / first_segment);
  auto end = segment.find_last_not_of('\0');
  ASSERT_NE(end, std::string::npos);
  segment[end] = static_cast<char>(segment[end] ^ 1);
  write_file(folder / "log" / first_segment, segment);
  TestLog log(folder / "log");
  EXPECT_EQ(log->opened_tail().last, Position(1));
  ASSERT_TRUE(log.append(numbered_events(2, 2)));
  EXPECT_EQ(read_texts(*log), texts_of(numbered_events(1, 3)));
}

TEST(Recovery, RefusesALogThatLostWhatItHadAcknowledged) {
  TempFolder folder;
  make_killed_log(folder / "log", {1, 2});
  auto segment = read_file(folder / "log" / first_segment);
  write_file(folder / "log" / first_segment, std::string(segment.size(), '\0'));
  auto error = open_error(folder / "log");
  EXPECT_EQ(error.code, ErrorCode::corrupt);
  EXPECT_TRUE(contains(error.message, "had reached 3")) << error.message;
  EXPECT_NE(error.next_step, "");
  EXPECT_EQ(open_error(folder / "log", Access::read).code, ErrorCode::corrupt);
}

TEST(Recovery, IsNotMisledByFramesOfAnEarlierTurnOfASegment) {
  TempFolder folder;
  // Larger than the first segment, so that the segments take turns.
  const std::string data(40 * limits::kibibyte, 'x');
  std::vector<Event> events;
  {
    TestLog log(folder / "log");
    for (int i = 0; i < 40; ++i) {
      events.push_back({.at = Time(Duration(1)), .body = CustomEvent{"", as_bytes(data)}});
      ASSERT_TRUE(log.append({events.back()}));
    }
  }
  TestLog log(folder / "log");
  EXPECT_EQ(log->opened_tail().last, Position(40));
  events.push_back(numbered_event(2));
  ASSERT_TRUE(log.append({events.back()}));
  EXPECT_EQ(read_texts(*log), texts_of(events));
}

TEST(Recovery, FindsFramesLargerThanASegment) {
  TempFolder folder;
  const std::string data(limits::mebibyte, 'x');
  std::vector<Event> events;
  {
    TestLog log(folder / "log");
    for (int i = 0; i < 3; ++i) {
      events.push_back({.at = Time(Duration(1)), .body = CustomEvent{"", as_bytes(data)}});
      ASSERT_TRUE(log.append({events.back()}));
    }
  }
  EXPECT_EQ(read_texts(*TestLog(folder / "log")), texts_of(events));
}

TEST(Recovery, RefusesTheJournalOfAnotherLog) {
  TempFolder folder;
  make_killed_log(folder / "one", {3});
  make_killed_log(folder / "other", {3});
  fs::remove_all(folder / "one/log/journal");
  fs::copy(folder / "other/log/journal", folder / "one/log/journal", fs::copy_options::recursive);
  auto error = open_error(folder / "one");
  EXPECT_EQ(error.code, ErrorCode::corrupt);
  EXPECT_TRUE(contains(error.message, "the journal belongs to another log")) << error.message;
}

TEST(Recovery, RefusesALogThatWasNotClosedWithoutItsJournal) {
  TempFolder folder;
  make_killed_log(folder / "log", {3});
  fs::remove_all(folder / "log" / journal);
  auto error = open_error(folder / "log");
  EXPECT_EQ(error.code, ErrorCode::corrupt);
  EXPECT_TRUE(contains(error.message, "is missing")) << error.message;
  EXPECT_NE(error.next_step, "");
}

// A log of six events whose file is the one it had when there were three.
void make_rolled_back_log(const fs::path& folder) {
  { ASSERT_TRUE(TestLog(folder).append(numbered_events(1, 3))); }
  const auto older = read_file(folder / data_file);
  { ASSERT_TRUE(TestLog(folder).append(numbered_events(4, 3))); }
  write_file(folder / data_file, older);
}

TEST(Recovery, BringsAnOlderFileForwardWhileTheJournalHoldsTheRest) {
  TempFolder folder;
  make_rolled_back_log(folder / "log");
  TestLog log(folder / "log");
  EXPECT_EQ(read_texts(*log), texts_of(numbered_events(1, 6)));
  EXPECT_TRUE(verify(*log));
}

TEST(Recovery, RefusesAnOlderFileThatNothingCanBringForwardSayingSo) {
  TempFolder folder;
  make_rolled_back_log(folder / "log");
  fs::remove_all(folder / "log" / journal);
  for (auto access : {Access::write, Access::read}) {
    auto error = open_error(folder / "log", access);
    EXPECT_EQ(error.code, ErrorCode::corrupt) << error.message;
    EXPECT_TRUE(contains(error.message, " 6")) << error.message;
    EXPECT_NE(error.next_step, "") << error.message;
  }
}

TEST(Recovery, TakesTheFileOfAClosedLogAlone) {
  TempFolder folder;
  { ASSERT_TRUE(TestLog(folder / "log").append(numbered_events(1, 3))); }
  fs::create_directories(folder / "copy/log");
  fs::copy(folder / "log" / data_file, folder / "copy" / data_file);
  {
    TestLog log(folder / "copy");
    EXPECT_EQ(log->opened_tail().last, Position(3));
    ASSERT_TRUE(log.append(numbered_events(4, 1)));
  }
  expect_numbered_events(folder / "copy", 4);
}

TEST(Recovery, DoesWithoutTheMarkOfWhatIsDurable) {
  TempFolder folder;
  make_killed_log(folder / "log", {3, 4});
  fs::remove(folder / "log/log/durable");
  expect_numbered_events(folder / "log", 7);
}

TEST(Recovery, RefusesTheMarkOfAnotherLog) {
  TempFolder folder;
  for (const char* name : {"one", "other"}) {
    ASSERT_TRUE(TestLog(folder / name).append(numbered_events(1, 1)));
  }
  fs::copy_file(folder / "other/log/durable", folder / "one/log/durable",
                fs::copy_options::overwrite_existing);
  auto error = open_error(folder / "one");
  EXPECT_EQ(error.code, ErrorCode::corrupt);
  EXPECT_TRUE(contains(error.message, "belongs to another log")) << error.message;
}

}  // namespace
}  // namespace almanac::test
