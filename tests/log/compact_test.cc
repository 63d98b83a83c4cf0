#include <almanac/log/codec.h>
#include <almanac/log/compact.h>
#include <almanac/log/file_journal.h>
#include <almanac/log/limits.h>
#include <almanac/log/log.h>
#include <almanac/log/page_layout.h>
#include <almanac/log/store.h>
#include <almanac/log/verify.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/small_disk.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

std::uint64_t newest_transaction(const fs::path& data) {
  const auto bytes = read_file(data);
  std::uint64_t newest = 0;
  for (std::size_t page : {0, 4096}) {
    layout::MetaPage meta;
    std::memcpy(&meta, bytes.data() + page, sizeof(meta));
    newest = std::max(newest, meta.transaction);
  }
  return newest;
}

// A reader held the log's pages while it grew by one commit for each frame, so that most of them
// are free now.
class CompactTest : public testing::Test {
 protected:
  CompactTest() {
    fs::create_directory(log());
    EXPECT_TRUE(Store::create(log() / "log", {.journal = JournalUse::closed}));
    EXPECT_TRUE(create_file_journal(log() / "log/journal"));
    auto store = Store::open(log() / "log", {.map_bytes = limits::gibibyte}).value();
    Digest digest = append(*store, 1, {});
    auto grow = [&](const Store::Frame&) -> Result<bool> {
      for (std::uint64_t i = 2; i <= 400; ++i) digest = append(*store, i, digest);
      return false;
    };
    EXPECT_TRUE(store->read(Position(1), grow));
  }
  static Digest append(Store& store, std::uint64_t number, const Digest& before) {
    FrameEncoder encoder;
    auto batch = make_batch(numbered_events(number, 1));
    const EventBatch* one = batch.get();
    auto frame = encoder.encode({.timeline = store.timeline(),
                                 .first = Position(number),
                                 .time = batch->events.front().at,
                                 .previous = before},
                                {&one, 1});
    const Store::Frame stored{Position(number), frame.value};
    EXPECT_TRUE(store.append({&stored, 1}));
    return frame.digest;
  }

  [[nodiscard]] fs::path log() const { return folder_ / "log"; }
  [[nodiscard]] fs::path data() const { return log() / "log/data.mdb"; }
  void expect_whole(const fs::path& folder, std::uint64_t last) const {
    auto opened = Log::open(folder, {.access = Access::read});
    ASSERT_TRUE(opened) << opened.error().message;
    auto report = verify(**opened);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(read_texts(**opened), texts_of(numbered_events(1, last)));
  }

  TempFolder folder_;
};

TEST_F(CompactTest, MakesTheFileSmallAndKeepsEveryEvent) {
  const auto before = Log::open(log(), {.access = Access::read}).value()->tail();
  const auto timeline = Log::open(log(), {.access = Access::read}).value()->timeline();
  const auto bytes = fs::file_size(data());
  std::vector<Position> progress;
  auto report = compact(log(), [&](Position position) { progress.push_back(position); });
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->last, Position(400));
  EXPECT_EQ(report->frames, 400U);
  EXPECT_EQ(progress.size(), 400U);
  EXPECT_EQ(report->bytes_before, bytes);
  EXPECT_EQ(report->bytes_after, fs::file_size(data()));
  EXPECT_LT(report->bytes_after, bytes / 4);
  std::uint64_t frame_bytes = 0;
  auto add = [&](const FrameReader& frame) -> Result<bool> {
    frame_bytes += frame.size_bytes();
    return true;
  };
  EXPECT_TRUE(Log::open(log(), {.access = Access::read}).value()->read_frames(Position(1), add));
  EXPECT_LT(report->bytes_after, frame_bytes + frame_bytes / 8 + 12U * 4096);
  expect_whole(log(), 400);
  const auto after = Log::open(log(), {.access = Access::read});
  EXPECT_EQ((*after)->tail()->digest, before->digest);
  EXPECT_EQ((*after)->timeline(), timeline);
  EXPECT_FALSE(fs::exists(log() / "log.compacting"));
}

TEST_F(CompactTest, GoesOnBehindTheTransactionsThereWere) {
  for (std::uint64_t last = 400; last < 404; ++last) {
    {
      TestLog writer(log());
      ASSERT_TRUE(writer.append(numbered_events(last + 1, 1)));
    }
    const auto transaction = newest_transaction(data());
    // What makes it worth the while.
    write_file(data(), read_file(data()) + std::string(1 << 20, '\0'));
    ASSERT_TRUE(compact(log()));
    EXPECT_EQ(newest_transaction(data()), transaction + 2);
    expect_whole(log(), last + 1);
  }
}

TEST_F(CompactTest, KeepsVersionsAndKeysOfWhatWasTrimmed) {
  const auto path = folder_ / "trimmed";
  auto keyed = numbered_event(1);
  keyed.stream = "stream";
  keyed.idempotency_key = "key";
  {
    TestLog log(path, LogOptions{});
    ASSERT_TRUE(log.append({keyed}));
    for (std::uint64_t i = 2; i <= 200; ++i) {
      auto other = numbered_event(i);
      other.stream = "stream";
      ASSERT_TRUE(log.append({other}));
    }
  }
  {
    TestLog log(path, LogOptions{});
    ASSERT_TRUE(log->set_checkpoint(Position(200)));
    ASSERT_TRUE(log->trim({.before = Position(150), .older_than = {}, .keep_bytes = {}}));
    ASSERT_GT(*log->first(), Position(1));
  }
  write_file(path / "log/data.mdb", read_file(path / "log/data.mdb") + std::string(1 << 20, '\0'));
  auto report = compact(path);
  ASSERT_TRUE(report);
  ASSERT_LT(report->bytes_after, report->bytes_before);
  TestLog log(path, LogOptions{});
  EXPECT_EQ(log->version("stream"), 200U);
  auto again = log->append_and_wait(keyed);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->first, Position(1));
}

// One large commit; the copy brings the index over in many.
TEST_F(CompactTest, MayNeedMoreTransactionsThanThereEverWere) {
  const auto young = folder_ / "young";
  std::vector<std::string> streams;
  for (int i = 0; i < 25'000; ++i) streams.push_back("stream " + std::to_string(i));
  {
    auto opened = Log::open(young);
    ASSERT_TRUE(opened);
    std::vector<Event> events;
    for (const auto& stream : streams) events.push_back({.stream = stream, .body = TaskReadied{}});
    ASSERT_TRUE((*opened)->append_and_wait(events));
  }
  auto report = compact(young);
  ASSERT_TRUE(report) << report.error().message;
  auto opened = Log::open(young);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(verify(**opened));
  EXPECT_EQ((*opened)->version(streams.back()), 1U);
}

TEST_F(CompactTest, LeavesALogAloneThatHasNothingToGain) {
  ASSERT_TRUE(compact(log()));
  const auto bytes = read_file(data());
  auto report = compact(log());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->bytes_after, report->bytes_before);
  EXPECT_EQ(read_file(data()), bytes);
}

// The writer of this log found no room for its frames, and was killed.
TEST_F(CompactTest, BringsWhatOnlyTheJournalHoldsIntoTheFile) {
  const auto copy = folder_ / "copy";
  {
    TestLog writer(folder_ / "tiny", {.map_bytes = 1, .index = false});
    for (std::uint64_t i = 1; i <= 30; ++i) {  // others are refused once it is known to be full
      ASSERT_TRUE(writer.append(numbered_events(i, 1), {.space = Space::reserve}));
    }
    fs::copy(folder_ / "tiny", copy, fs::copy_options::recursive);
  }
  ASSERT_FALSE(Store::open(copy / "log", {.access = Access::read, .map_bytes = limits::gibibyte})
                   .value()
                   ->last()
                   .value());
  auto report = compact(copy);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->last, Position(30));
  fs::remove_all(copy / "log/journal");
  expect_whole(copy, 30);
}

TEST_F(CompactTest, CompactsAnEmptyLog) {
  { TestLog empty(folder_ / "empty"); }
  auto report = compact(folder_ / "empty");
  ASSERT_TRUE(report) << report.error().message;
  expect_whole(folder_ / "empty", 0);
  EXPECT_EQ(code_of(compact(folder_ / "missing")), "not_found");
}

// The old records of commits go before the file does, and the new ones come behind it.
TEST_F(CompactTest, IsWholeWhereverACrashComes) {
  const auto before = read_file(data());
  ASSERT_TRUE(compact(log()));
  const auto after = read_file(data());
  for (const auto& bytes : {before, after}) {
    fs::remove(log() / "log/commits");
    write_file(data(), bytes);
    expect_whole(log(), 400);
  }
  write_file(data(), before);
  fs::create_directories(log() / "log.compacting/log");
  write_file(log() / "log.compacting/log/data.mdb", "half");
  EXPECT_TRUE(compact(log()));
  expect_whole(log(), 400);
}

TEST_F(CompactTest, RefusesWhileSomeoneWritesOrReads) {
  {
    TestLog writer(log());
    EXPECT_EQ(code_of(compact(log())), "conflict");
  }
  ChildProcess reader({program_path("log_peer").string(), "read", log().string()});
  ASSERT_NE(reader.read_line(), "(end)");
  auto report = compact(log());
  EXPECT_EQ(code_of(report), "conflict");
  EXPECT_NE(report.error().message.find(std::to_string(reader.id())), std::string::npos)
      << report.error().message;
}

TEST_F(CompactTest, RefusesADamagedLog) {
  auto bytes = read_file(data());
  const std::string mark = "ALMF";
  for (auto at = bytes.find(mark); at != std::string::npos; at = bytes.find(mark, at + 1)) {
    bytes[at + 100] ^= 1;
  }
  write_file(data(), bytes);
  EXPECT_EQ(code_of(compact(log())), "corrupt");
  EXPECT_EQ(read_file(data()), bytes);
}

TEST_F(CompactTest, LeavesAllAsItWasOnAFullDisk) {
  fs::create_directory(folder_ / "mount");
  SmallDisk disk(folder_ / "mount", 32 * limits::mebibyte);
  fs::copy(log(), disk.path() / "log", fs::copy_options::recursive);
  const auto bytes = read_file(data());
  disk.fill();
  EXPECT_EQ(code_of(compact(disk.path() / "log")), "storage_full");
  EXPECT_EQ(read_file(disk.path() / "log/log/data.mdb"), bytes);
  EXPECT_FALSE(fs::exists(disk.path() / "log/log.compacting"));
  expect_whole(disk.path() / "log", 400);
  disk.make_room();
  auto report = compact(disk.path() / "log");
  EXPECT_TRUE(report) << report.error().message;
}

}  // namespace
}  // namespace almanac::test
