#include <almanac/log/codec.h>
#include <almanac/log/commit_record.h>
#include <almanac/log/limits.h>
#include <almanac/log/log.h>
#include <almanac/log/store.h>
#include <almanac/log/verify.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using layout::MetaPage;

constexpr std::size_t record_page_bytes = 4096;
constexpr std::size_t slot_bytes = 512;

MetaPage meta_of(const std::string& data, std::size_t index) {
  MetaPage meta;
  std::memcpy(&meta, data.data() + index * record_page_bytes, sizeof(meta));
  return meta;
}
std::size_t newest_index(const std::string& data) {
  return meta_of(data, 0).transaction < meta_of(data, 1).transaction ? 1 : 0;
}

// A log of frames 1 2 | 3 4 | 5 6 | 7 8, with both files as they were behind each commit. It was
// never written to but through its store, so there is no journal that would know better.
class CommitRecordTest : public testing::Test {
 protected:
  struct Files {
    std::string data;
    std::string commits;
  };

  CommitRecordTest() {
    fs::create_directory(folder_ / "log");
    EXPECT_TRUE(Store::create(store(), {}));
    keep(0);
    Digest before{};
    for (std::uint64_t last : {2, 4, 6, 8}) {
      auto opened = open_store({});
      before = append(**opened, last, before);
      keep(last);
    }
  }
  // Events last - 1 and last.
  static Digest append(Store& to, std::uint64_t last, const Digest& before) {
    FrameEncoder encoder;
    auto batch = make_batch(numbered_events(last - 1, 2));
    const EventBatch* one = batch.get();
    auto frame = encoder.encode({.timeline = to.timeline(),
                                 .first = Position(last - 1),
                                 .time = batch->events.front().at,
                                 .previous = before},
                                {&one, 1});
    const Store::Frame stored{Position(last - 1), frame.value};
    EXPECT_TRUE(to.append({&stored, 1}));
    return frame.digest;
  }
  void keep(std::uint64_t last) {
    after_[last] = {read_file(store() / "data.mdb"), read_file(store() / "commits")};
  }
  [[nodiscard]] fs::path store() const { return folder_ / "log/log"; }
  void put(const std::string& data, const std::string& commits) const {
    fs::remove(store() / "durable");
    fs::remove_all(store() / "journal");
    write_file(store() / "data.mdb", data);
    write_file(store() / "commits", commits);
  }

  // "ok through POSITION", or the code of the error.
  [[nodiscard]] std::string verdict(Access access) const {
    auto log = Log::open(folder_ / "log", {.access = access});
    if (!log) return std::string(code_of(log));
    auto report = verify(**log);
    if (!report) return std::string(code_of(report));
    EXPECT_EQ(read_texts(**log), texts_of(numbered_events(1, report->last.value)));
    return "ok through " + std::to_string(report->last.value);
  }
  // The last position in the store when it is opened for writing, which writes nothing but what it
  // takes back; or the code of the error.
  [[nodiscard]] std::string store_verdict() const {
    auto store = open_store({});
    if (!store) return std::string(code_of(store));
    auto last = (*store)->last();
    return last ? "ok through " + std::to_string(last->value) : std::string(code_of(last));
  }
  [[nodiscard]] Result<std::unique_ptr<Store>> open_store(Position replay_through) const {
    return Store::open(store(), {.map_bytes = limits::gibibyte, .replay_through = replay_through});
  }

  TempFolder folder_;
  std::map<std::uint64_t, Files> after_;  // by the last position
};

TEST_F(CommitRecordTest, RecordsTheLastTwoCommits) {
  const auto records = CommitFile::read(store());
  ASSERT_TRUE(records[0] && records[1]);
  EXPECT_EQ(records[0]->last, Position(8));
  EXPECT_EQ(records[0]->first, Position(7));
  EXPECT_EQ(records[1]->last, Position(6));
  EXPECT_EQ(records[0]->transaction, records[1]->transaction + 1);
  const auto& data = after_[8].data;
  for (std::size_t i : {0, 1}) {
    const auto meta = meta_of(data, i == 0 ? newest_index(data) : 1 - newest_index(data));
    EXPECT_EQ(records[i]->meta_hash, hash_of(meta));
    EXPECT_EQ(records[i]->transaction, meta.transaction);
  }
  auto log = Log::open(folder_ / "log", {.access = Access::read});
  ASSERT_TRUE(log);
  EXPECT_EQ(records[0]->digest, (*log)->tail()->digest);
  EXPECT_EQ(records[0]->timeline, (*log)->timeline());
}

TEST_F(CommitRecordTest, TakesNoRecordWithADamagedByte) {
  const auto whole = CommitFile::read(store());
  std::size_t noticed = 0;
  for (std::size_t at = 0; at < 2 * slot_bytes; ++at) {
    auto bytes = after_[8].commits;
    bytes[at] ^= 4;
    write_file(store() / "commits", bytes);
    const auto records = CommitFile::read(store());
    if (records == whole) continue;
    ++noticed;
    ASSERT_TRUE(records[0]) << at;
    EXPECT_FALSE(records[1]) << at;
    EXPECT_TRUE(*records[0] == *whole[0] || *records[0] == *whole[1]) << at;
    EXPECT_EQ(verdict(Access::read), "ok through 8") << at;
  }
  EXPECT_EQ(noticed, 2U * 96) << "the rest of a sector means nothing";
}

TEST_F(CommitRecordTest, IsNotNeededAndComesBackWithTheNextCommit) {
  for (const std::string bytes : {"", "x", "ALMC"}) {
    put(after_[8].data, bytes);
    EXPECT_EQ(verdict(Access::read), "ok through 8");
  }
  fs::remove(store() / "commits");
  EXPECT_EQ(verdict(Access::read), "ok through 8");
  EXPECT_FALSE(fs::exists(store() / "commits"));
  {
    TestLog log(folder_ / "log");
    ASSERT_TRUE(log.append(numbered_events(9, 2)));
  }
  ASSERT_TRUE(CommitFile::read(store())[0]);
  EXPECT_EQ(CommitFile::read(store())[0]->last, Position(10));
  EXPECT_EQ(verdict(Access::write), "ok through 10");
}

TEST_F(CommitRecordTest, RefusesALogThatWasRolledBack) {
  for (std::uint64_t last : {0, 2, 4, 6}) {
    put(after_[last].data, after_[8].commits);
    for (auto access : {Access::read, Access::write}) {
      auto log = Log::open(folder_ / "log", {.access = access});
      EXPECT_EQ(code_of(log), "corrupt");
      EXPECT_NE(log.error().message.find(access == Access::read
                                             ? "was rolled back: it ends before position 8"
                                             : "and had reached 8: it was replaced"),
                std::string::npos)
          << log.error().message;
    }
    fs::remove(store() / "commits");
    EXPECT_EQ(verdict(Access::read), "ok through " + std::to_string(last)) << "meant to be here";
  }
}

TEST_F(CommitRecordTest, OpensALogThatEndsBeforeItsRecordForAReplay) {
  put(after_[6].data, after_[8].commits);
  EXPECT_EQ(code_of(open_store(Position(7))), "corrupt");
  auto store = open_store(Position(8));
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ((*store)->confirmed_last(), Position(8));
  EXPECT_EQ(*(*store)->last(), Position(6));
  EXPECT_FALSE((*store)->recovered_from_older_commit());
}

TEST_F(CommitRecordTest, RefusesTheFileOfAnotherLog) {
  { TestLog other(folder_ / "other"); }
  put(after_[8].data, read_file(folder_ / "other/log/commits"));
  EXPECT_EQ(verdict(Access::read), "corrupt");
  { TestLog empty(folder_ / "empty"); }
  fs::copy_file(folder_ / "empty/log/data.mdb", folder_ / "other/log/data.mdb",
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(code_of(Log::open(folder_ / "other")), "corrupt") << "of two empty ones";
}

TEST_F(CommitRecordTest, RefusesAnotherFrameInThePlaceOfTheLast) {
  {
    put(after_[6].data, after_[6].commits);
    TestLog log(folder_ / "log");
    ASSERT_TRUE(log.append({numbered_event(70), numbered_event(80)}));
  }
  put(read_file(store() / "data.mdb"), after_[8].commits);
  EXPECT_EQ(verdict(Access::read), "corrupt");
}

// ---- A meta page that was torn -----------------------------------------------------------------

// What a commit writes of its meta page, in units that no disk tears.
constexpr std::size_t written_at = 32;
constexpr std::size_t words = (sizeof(MetaPage) - written_at) / 8;

// The file of the last commit, of whose meta page only the words in `mask` have arrived.
std::string torn(const std::string& before, const std::string& after, std::uint32_t mask) {
  auto data = after;
  const auto page = newest_index(after) * record_page_bytes;
  for (std::size_t word = 0; word < words; ++word) {
    if ((mask >> word & 1) != 0) continue;
    const auto at = page + written_at + word * 8;
    data.replace(at, 8, before, at, 8);
  }
  return data;
}

TEST_F(CommitRecordTest, TakesBackACommitThatWasTornOrKeepsItWhole) {
  std::mt19937 random(7);
  std::vector<std::uint32_t> masks = {0, (1U << words) - 1};
  for (std::size_t word = 0; word < words; ++word) {
    const auto one = 1U << word;
    masks.insert(masks.end(), {one, one - 1, ~one, ~(one - 1)});
  }
  for (int i = 0; i < 400; ++i) masks.push_back(static_cast<std::uint32_t>(random()));
  std::map<std::string, int> seen;
  for (const auto mask : masks) {
    put(torn(after_[6].data, after_[8].data, mask), after_[6].commits);
    const auto reading = verdict(Access::read);
    const auto writing = verdict(Access::write);
    ++seen[reading + ", " + writing];
    EXPECT_TRUE(writing == "ok through 6" || writing == "ok through 8") << mask << writing;
    EXPECT_TRUE(reading == writing || reading == "corrupt") << mask << reading;
    EXPECT_EQ(verdict(Access::read), writing);
  }
  EXPECT_GT((seen["corrupt, ok through 6"]), 100) << "the transaction's number had arrived";
  EXPECT_GT((seen["ok through 6, ok through 6"]), 100) << "it had not";
  EXPECT_GT((seen["ok through 8, ok through 8"]), 0);
}

TEST_F(CommitRecordTest, GoesOnBehindACommitThatWasTakenBack) {
  put(torn(after_[6].data, after_[8].data, 1U << (words - 1)), after_[6].commits);
  {
    auto store = open_store({});
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_TRUE((*store)->recovered_from_older_commit());
    EXPECT_EQ((*store)->confirmed_last(), Position(6));
  }
  {
    TestLog log(folder_ / "log");
    EXPECT_EQ(log->opened_tail().last, Position(6));
    for (std::uint64_t last : {8, 10, 12, 14}) {
      ASSERT_TRUE(log.append(numbered_events(last - 1, 2)));
    }
  }
  EXPECT_EQ(verdict(Access::read), "ok through 14");
  EXPECT_FALSE((*open_store({}))->recovered_from_older_commit());
}

TEST_F(CommitRecordTest, TakesBackWhereTakingBackWasTorn) {
  const auto before = torn(after_[6].data, after_[8].data, 1U << (words - 1));
  put(before, after_[6].commits);
  ASSERT_EQ(store_verdict(), "ok through 6");
  const auto after = read_file(store() / "data.mdb");
  ASSERT_NE(before, after);
  std::mt19937 random(8);
  for (int i = 0; i < 300; ++i) {
    auto data = after;
    const auto page = newest_index(after_[8].data) * record_page_bytes;
    for (std::size_t at = page + written_at; at < page + sizeof(MetaPage); at += 8) {
      if (random() % 2 == 0) data.replace(at, 8, before, at, 8);
    }
    put(data, after_[6].commits);
    EXPECT_EQ(verdict(Access::write), "ok through 6") << i;
  }
}

TEST_F(CommitRecordTest, TakesNothingBackThatARecordConfirms) {
  const auto data = torn(after_[6].data, after_[8].data, 1U << (words - 1));
  put(data, after_[8].commits);
  EXPECT_EQ(verdict(Access::read), "corrupt");
  EXPECT_EQ(store_verdict(), "corrupt");
  EXPECT_EQ(code_of(open_store(Position(7))), "corrupt");
  EXPECT_EQ(read_file(store() / "data.mdb"), data) << "nothing was changed";
  {
    auto store = open_store(Position(8));
    ASSERT_TRUE(store) << "what is missing will be appended again";
    EXPECT_TRUE((*store)->recovered_from_older_commit());
    EXPECT_EQ((*store)->confirmed_last(), Position(8));
  }
  // A log looks for what is missing in its journal, which does not have it, however often it asks.
  put(data, after_[8].commits);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(verdict(Access::write), "corrupt");
    EXPECT_EQ(verdict(Access::read), "corrupt");
    EXPECT_EQ(read_file(store() / "commits"), after_[8].commits) << "it still says what there was";
  }
}

TEST_F(CommitRecordTest, TakesNothingBackWithoutARecord) {
  put(torn(after_[6].data, after_[8].data, 1U << (words - 1) | 1U << 9), "");
  const auto data = read_file(store() / "data.mdb");
  const auto writing = store_verdict();
  EXPECT_TRUE(writing == "corrupt" || writing == "ok through 4") << writing;
  EXPECT_EQ(read_file(store() / "data.mdb"), data);
  EXPECT_EQ(verdict(Access::write), writing);
}

}  // namespace
}  // namespace almanac::test
