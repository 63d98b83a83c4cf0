#include <almanac/log/repair.h>
#include <almanac/log/verify.h>
#include <almanac/log/write_lock.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/small_disk.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t store_page_bytes = 4096;

std::map<std::string, std::string> contents_of(const fs::path& folder) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    // Which readers there are, and who wrote last, are no part of a log.
    if (!entry.is_regular_file() || entry.path().filename() == "lock.mdb") continue;
    if (entry.path().filename() == "lock") continue;
    contents[entry.path().lexically_relative(folder).string()] = read_file(entry.path());
  }
  return contents;
}

// What was settled is still in the journal until its room is used again: a repair would find there
// whatever these tests damage in the file.
void empty_journal(const fs::path& folder) {
  for (int number = 0; fs::remove(folder / "log/journal" / ("segment-" + std::to_string(number)));
       ++number) {}
}

// Frames of two events each, as many as `events` needs, which are all in the file when it is done.
void write_log(const fs::path& folder, std::uint64_t from, std::uint64_t to) {
  {
    TestLog log(folder);
    for (auto next = from; next <= to; next += 2) ASSERT_TRUE(log.append(numbered_events(next, 2)));
  }
  empty_journal(folder);
}

std::vector<std::string> frames_in(const fs::path& folder) {
  auto store = Store::open(folder / "log", {.access = Access::read, .map_bytes = limits::gibibyte});
  EXPECT_TRUE(store);
  std::vector<std::string> frames;
  EXPECT_TRUE((*store)->read(Position(1), [&](const Store::Frame& frame) -> Result<bool> {
    frames.emplace_back(as_text(frame.value));
    return true;
  }));
  return frames;
}

class RepairTest : public testing::Test {
 protected:
  RepairTest() { write_log(log(), 1, 20); }

  [[nodiscard]] fs::path log() const { return folder_ / "log"; }
  [[nodiscard]] fs::path data() const { return log() / "log/data.mdb"; }
  // Changes a byte wherever the frame lies, in old pages too.
  void damage_frame(const std::string& frame) const {
    auto bytes = read_file(data());
    for (auto at = bytes.find(frame); at != std::string::npos; at = bytes.find(frame, at)) {
      bytes[at + frame.size() - 3] ^= 8;
    }
    write_file(data(), bytes);
  }
  void zero_metas() const {
    auto bytes = read_file(data());
    bytes.replace(0, 2 * store_page_bytes, 2 * store_page_bytes, '\0');
    write_file(data(), bytes);
  }
  void expect_log_through(std::uint64_t last) const { expect_log_of(1, last); }
  void expect_log_of(std::uint64_t first, std::uint64_t last) const {
    auto opened = Log::open(log());
    ASSERT_TRUE(opened) << opened.error().message;
    auto report = verify(**opened);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ((*opened)->first(), Position(first));
    EXPECT_EQ(report->last, Position(last));
    EXPECT_EQ(read_texts(**opened),
              texts_of(numbered_events(first, last + 1 - first), Position(first)));
  }

  TempFolder folder_;
};

TEST_F(RepairTest, RefusesALogThatIsWhole) {
  const auto before = contents_of(log());
  for (bool dry_run : {true, false}) {
    auto report = repair(log(), {.dry_run = dry_run});
    EXPECT_EQ(code_of(report), "refused");
    EXPECT_EQ(report.error().message, "the log is whole: there is nothing to repair");
  }
  EXPECT_EQ(contents_of(log()), before);
  EXPECT_EQ(code_of(repair(folder_ / "missing")), "not_found");
}

TEST_F(RepairTest, RefusesWhileSomeoneWrites) {
  auto writer = WriteLock::take(log());
  ASSERT_TRUE(writer);
  zero_metas();
  EXPECT_EQ(code_of(repair(log())), "conflict");
  EXPECT_EQ(code_of(repair(log(), {.dry_run = true})), "conflict");
}

TEST_F(RepairTest, KeepsEverythingWhenNoFrameIsDamaged) {
  const auto timeline = (*Log::open(log(), {.access = Access::read}))->timeline();
  zero_metas();
  auto report = repair(log());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, Position(20));
  EXPECT_EQ(report->lost, Position(20));
  EXPECT_EQ(report->frames, 10U);
  EXPECT_EQ(report->readable, 0U);
  expect_log_through(20);
  EXPECT_EQ((*Log::open(log(), {.access = Access::read}))->timeline(), timeline);
  write_log(log(), 21, 24);
  expect_log_through(24);
}

TEST_F(RepairTest, CutsBehindTheFirstDamagedFrameAndKeepsWhatItCut) {
  const auto frames = frames_in(log());
  damage_frame(frames[6]);
  const auto damaged = contents_of(log() / "log");
  auto dry = repair(log(), {.dry_run = true});
  ASSERT_TRUE(dry) << dry.error().message;
  EXPECT_EQ(contents_of(log() / "log"), damaged) << "a dry run changes nothing";
  EXPECT_EQ(dry->aside, "");
  auto report = repair(log());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, Position(12));
  EXPECT_EQ(report->lost, Position(20));
  EXPECT_EQ(report->readable, 6U);
  EXPECT_EQ(report->damage.code, ErrorCode::corrupt);
  EXPECT_NE(report->damage.message.find("(at position 13)"), std::string::npos);
  EXPECT_EQ(dry->kept, report->kept);
  EXPECT_EQ(dry->readable, report->readable);
  EXPECT_EQ(report->aside, log() / "log.damaged-1");
  EXPECT_EQ(contents_of(report->aside), damaged);
  expect_log_through(12);
  damage_frame(frames[2]);
  auto again = repair(log());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->aside, log() / "log.damaged-2");
  EXPECT_EQ(contents_of(log() / "log.damaged-1"), damaged);
  expect_log_through(4);
}

TEST_F(RepairTest, FindsFramesOfAnySize) {
  std::string large(300'000, 'x');
  {
    TestLog opened(log());
    for (std::uint64_t number : {21, 22, 23}) {
      ASSERT_TRUE(opened.append(
          {{.at = Time(Duration(number)), .body = CustomEvent{"large", as_bytes(large)}}}));
      large += "more";
    }
  }
  empty_journal(log());
  zero_metas();
  auto report = repair(log());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, Position(23));
  EXPECT_GT(report->bytes, 900'000U);
}

TEST_F(RepairTest, TakesWhatTheJournalHolds) {
  const auto frames = frames_in(log());
  std::string segment(512, '\0');
  for (std::size_t i = 4; i < 9; ++i) segment += frames[i];
  segment += std::string(10'000, '\0') + frames[9].substr(0, frames[9].size() - 8);
  write_file(log() / "log/journal/segment-1", segment);
  for (std::size_t i : {5, 6, 9}) damage_frame(frames[i]);
  auto report = repair(log());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, Position(18));
  EXPECT_EQ(report->lost, Position(20)) << "which the record of commits knows";
  EXPECT_EQ(read_file(report->aside / "journal/segment-1"), segment);
  expect_log_through(18);
}

// A commit that was taken back may have left its frames in pages that are free now.
TEST_F(RepairTest, NeverTakesAFrameThatWasGivenUp) {
  fs::copy(log(), folder_ / "other", fs::copy_options::recursive);
  write_log(log(), 21, 22);
  {
    TestLog other(folder_ / "other");
    ASSERT_TRUE(other.append({numbered_event(1'000), numbered_event(1'001)}));
    ASSERT_TRUE(other.append({numbered_event(1'002), numbered_event(1'003)}));
  }
  const auto given_up = frames_in(folder_ / "other");
  write_file(log() / "log/old", given_up[10] + given_up[11]);
  damage_frame(frames_in(log())[10]);
  auto report = repair(log());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, Position(20));
  expect_log_through(20);
}

// The frames of one value of the file: all but the last are confirmed by no record of their own.
TEST_F(RepairTest, KeepsWhatIsInFrontOfADamagedLastFrame) {
  damage_frame(frames_in(log())[9]);
  auto report = repair(log());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, Position(18));
  EXPECT_EQ(report->lost, Position(20));
  expect_log_through(18);
}

// ---- A log without its front -------------------------------------------------------------------

// Events 1 to 12 of 30 were removed: what is left begins at 13.
class TrimmedRepairTest : public RepairTest {
 protected:
  TrimmedRepairTest() {
    fs::remove_all(log());
    for (std::uint64_t from = 1; from < 30; from += 6) write_log(log(), from, from + 5);
    TestLog trimming(log());
    EXPECT_TRUE(trimming->set_checkpoint(Position(14)));
    auto trimmed = trimming->trim({.before = Position(13)});
    EXPECT_TRUE(trimmed) << trimmed.error().message;
    EXPECT_EQ(trimmed->first, Position(13));
  }
};

TEST_F(TrimmedRepairTest, BeginsWhereTheLogSaysThatItBegins) {
  empty_journal(log());
  damage_frame(frames_in(log())[4]);  // 21 and 22
  auto report = repair(log());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->first, Position(13));
  EXPECT_FALSE(report->first_is_guessed);
  EXPECT_EQ(report->kept, Position(20));
  EXPECT_EQ(report->lost, Position(30));
  EXPECT_EQ(report->readable, 8U);
  expect_log_of(13, 20);
  auto store =
      Store::open(log() / "log", {.access = Access::read, .map_bytes = limits::gibibyte}).value();
  EXPECT_EQ(store->checkpoint(), Position(14));
  EXPECT_EQ(store->base()->time, Time(Duration(12)));
}

TEST_F(TrimmedRepairTest, BeginsWithTheEarliestFrameWhereTheLogCannotSay) {
  const auto frames = frames_in(log());
  empty_journal(log());
  zero_metas();
  // What was removed may still be whole in pages that are free, and then it is the earliest.
  auto bytes = read_file(data());
  std::set<std::size_t> left;
  for (const auto& frame : frames) left.insert(bytes.find(frame) + 8);
  for (auto at = bytes.find("ALMF"); at != std::string::npos; at = bytes.find("ALMF", at + 1)) {
    if (!left.contains(at)) bytes[at] = 'B';
  }
  write_file(data(), bytes);
  auto report = repair(log());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->first, Position(13));
  EXPECT_TRUE(report->first_is_guessed);
  EXPECT_EQ(report->kept, Position(30));
  expect_log_of(13, 30);
}

// ---- What cannot be saved, and crashes ---------------------------------------------------------

TEST_F(RepairTest, SavesNothingWithoutTheFirstFrame) {
  damage_frame(frames_in(log())[0]);
  const auto before = contents_of(log());
  auto report = repair(log());
  EXPECT_EQ(code_of(report), "corrupt");
  EXPECT_TRUE(contents_of(log()) == before) << "nothing was changed";
}

TEST_F(RepairTest, GivesTheBeginningOfTheLogAfterAnyDamage) {
  std::mt19937_64 random(13);
  const auto whole = read_file(data());
  std::set<std::uint64_t> kept;
  for (int round = 0; round < 60; ++round) {
    fs::remove_all(log());
    fs::create_directories(log() / "log");
    auto bytes = whole;
    for (auto count = 1 + random() % 3; count > 0; --count) {
      const auto at = random() % bytes.size();
      const auto size = std::min<std::size_t>(bytes.size() - at, 1 + random() % 6'000);
      for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<char>(random());
    }
    write_file(data(), bytes);
    auto report = repair(log());
    if (!report) {
      EXPECT_TRUE(code_of(report) == "refused" || code_of(report) == "corrupt") << round;
      continue;
    }
    kept.insert(report->kept.value);
    EXPECT_EQ(report->first > Position(1), report->first_is_guessed);
    expect_log_of(report->first.value, report->kept.value);
  }
  EXPECT_GT(kept.size(), 2U);
}

// The old log is gone and the new one is not there yet.
TEST_F(RepairTest, GoesOnWhereACrashCutItShort) {
  fs::create_directory(log() / "log.repairing");
  fs::rename(log() / "log", log() / "log.repaired");
  EXPECT_EQ(code_of(Log::open(log())), "refused") << "and nobody begins a new log there";
  EXPECT_EQ(code_of(repair(log())), "refused") << "it is whole";
  expect_log_through(20);
}

TEST_F(RepairTest, BeginsAnewWhereACrashLeftHalfALog) {
  fs::create_directories(log() / "log.repairing/log");
  write_file(log() / "log.repairing/log/data.mdb", "half");
  zero_metas();
  auto report = repair(log());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_FALSE(fs::exists(log() / "log.repairing"));
  expect_log_through(20);
}

TEST_F(RepairTest, LeavesAllAsItWasOnAFullDisk) {
  fs::create_directory(folder_ / "mount");
  SmallDisk disk(folder_ / "mount", 2 * limits::mebibyte);
  zero_metas();
  fs::copy(log(), disk.path() / "log", fs::copy_options::recursive);
  disk.fill();
  const auto before = contents_of(disk.path() / "log");
  EXPECT_EQ(code_of(repair(disk.path() / "log")), "storage_full");
  EXPECT_EQ(contents_of(disk.path() / "log"), before);
  disk.make_room();
  EXPECT_TRUE(repair(disk.path() / "log"));
}

// A library answers with an error whatever the folder is; it does not throw.
TEST_F(RepairTest, SaysWhyItCannotLookAtALog) {
  fs::remove_all(log() / "log");
  fs::create_directory_symlink("log", log() / "log");
  auto report = repair(log());
  EXPECT_EQ(code_of(report), "io");
  EXPECT_NE(report.error().message.find("symbolic links"), std::string::npos);
}

}  // namespace
}  // namespace almanac::test
