#include <almanac/log/limits.h>
#include <almanac/log/store.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <lmdb.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t map_bytes = 256 * limits::mebibyte;

std::unique_ptr<Store> open_store(const fs::path& folder, Access access = Access::write) {
  auto store = Store::open(folder, {.access = access, .map_bytes = map_bytes});
  EXPECT_TRUE(store) << store.error().message;
  return store ? std::move(*store) : nullptr;
}

std::unique_ptr<Store> new_store(const fs::path& folder) {
  EXPECT_TRUE(Store::create(folder, {}));
  return open_store(folder);
}

// A store does not look into frames: any bytes will do.
class Value {
 public:
  Value(std::uint64_t fill, std::size_t words) : words_(words, fill) {}
  [[nodiscard]] Bytes bytes() const { return std::as_bytes(std::span(words_)); }

 private:
  std::vector<std::uint64_t> words_;
};

Result<void> put(Store& store, std::uint64_t first, const Value& value) {
  const std::vector<Store::Frame> frames = {{Position(first), value.bytes()}};
  return store.append(frames);
}

std::vector<std::uint64_t> keys_from(const Store& store, std::uint64_t from) {
  std::vector<std::uint64_t> keys;
  auto read = store.read(Position(from), [&](const Store::Frame& frame) -> Result<bool> {
    keys.push_back(frame.first.value);
    return true;
  });
  EXPECT_TRUE(read);
  return keys;
}

using Keys = std::vector<std::uint64_t>;

TEST(Store, AppearsWholeWithATimeline) {
  TempFolder folder;
  EXPECT_EQ(Store::exists(folder / "log"), false);
  ASSERT_TRUE(Store::create(folder / "log", {}));
  EXPECT_EQ(Store::exists(folder / "log"), true);
  EXPECT_FALSE(fs::exists(folder / "log.creating"));
  auto store = open_store(folder / "log");
  EXPECT_NE(store->timeline(), Timeline{});
  EXPECT_EQ(store->last(), Position());
  EXPECT_EQ(keys_from(*store, 1), Keys{});
}

TEST(Store, IsNeverCreatedOverAnother) {
  TempFolder folder;
  const Value value(1, 1);
  Timeline timeline;
  {
    auto store = new_store(folder / "log");
    ASSERT_TRUE(put(*store, 1, value));
    timeline = store->timeline();
  }
  EXPECT_FALSE(Store::create(folder / "log", {}));
  auto store = open_store(folder / "log");
  EXPECT_EQ(store->timeline(), timeline);
  EXPECT_EQ(store->last(), Position(1));
}

TEST(Store, GivesBackWhatWasAppended) {
  TempFolder folder;
  auto store = new_store(folder / "log");
  const Value small(7, 1);
  const Value page(8, 500);
  const Value large(9, limits::mebibyte);  // 8 MiB
  const std::vector<Store::Frame> frames = {
      {Position(1), small.bytes()}, {Position(5), page.bytes()}, {Position(6), large.bytes()}};
  ASSERT_TRUE(store->append(frames));
  std::size_t next = 0;
  auto read = store->read(Position(1), [&](const Store::Frame& frame) -> Result<bool> {
    EXPECT_EQ(frame.first, frames[next].first);
    EXPECT_TRUE(std::ranges::equal(frame.value, frames[next].value));
    ++next;
    return true;
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(next, 3U);
  EXPECT_EQ(store->last(), Position(6));
}

TEST(Store, ReadsFromTheLastFrameThatDoesNotBeginBehind) {
  TempFolder folder;
  auto store = new_store(folder / "log");
  const Value value(1, 1);
  for (std::uint64_t first : {1, 5, 6}) ASSERT_TRUE(put(*store, first, value));
  EXPECT_EQ(keys_from(*store, 0), Keys{});
  EXPECT_EQ(keys_from(*store, 1), (Keys{1, 5, 6}));
  EXPECT_EQ(keys_from(*store, 4), (Keys{1, 5, 6}));
  EXPECT_EQ(keys_from(*store, 5), (Keys{5, 6}));
  EXPECT_EQ(keys_from(*store, 6), (Keys{6}));
  EXPECT_EQ(keys_from(*store, UINT64_MAX), (Keys{6}));
}

TEST(Store, ReadsFromItsFirstFrameWhenAllBeginBehind) {
  TempFolder folder;
  auto store = new_store(folder / "log");
  for (std::uint64_t first : {10, 20, 30}) ASSERT_TRUE(put(*store, first, Value(1, 1)));
  EXPECT_EQ(keys_from(*store, 9), (Keys{10, 20, 30})) << "one that misses its front says so";
  EXPECT_EQ(keys_from(*store, 1), (Keys{10, 20, 30}));
}

TEST(Store, KeepsPositionsInOrderAcrossTheirWholeRange) {
  TempFolder folder;
  auto store = new_store(folder / "log");
  const Keys keys = {
      1, 255, 256, 65'536, std::uint64_t{1} << 32, std::uint64_t{1} << 63, UINT64_MAX - 1};
  for (auto key : keys) ASSERT_TRUE(put(*store, key, Value(key, 1)));
  EXPECT_EQ(keys_from(*store, 1), keys);
}

TEST(Store, LetsGoOfItsTransactionBetweenSlices) {
  TempFolder folder;
  auto store = new_store(folder / "log");
  const Value value(1, 4);
  constexpr std::uint64_t count = limits::read_slice_frames + 1;
  for (std::uint64_t i = 1; i <= count; ++i) ASSERT_TRUE(put(*store, i, value));
  Keys keys;
  auto read = store->read(Position(1), [&](const Store::Frame& frame) -> Result<bool> {
    keys.push_back(frame.first.value);
    if (keys.size() == 1) {
      EXPECT_TRUE(put(*store, count + 1, value));
    }
    return true;
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(keys.size(), count + 1) << "what came in during the first slice is in the second";
  EXPECT_EQ(keys.back(), count + 1);
}

TEST(Store, LetsGoOfItsTransactionAfterManyBytesToo) {
  TempFolder folder;
  auto store = new_store(folder / "log");
  const Value large(1, limits::read_slice_bytes / sizeof(std::uint64_t));
  for (std::uint64_t i = 1; i <= 2; ++i) ASSERT_TRUE(put(*store, i, large));
  std::uint64_t calls = 0;
  auto read = store->read(Position(1), [&](const Store::Frame&) -> Result<bool> {
    if (++calls == 1) {
      EXPECT_TRUE(put(*store, 3, Value(1, 1)));
    }
    return true;
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(calls, 3U);
}

// What stands in a store, against a plain map of it.
RC_GTEST_PROP(Store, KeepsFramesOfAnySizeAligned, ()) {
  TempFolder folder;
  RC_ASSERT(Store::create(folder / "log", {}));
  std::map<std::uint64_t, Value> model;
  std::uint64_t next = 1;
  for (auto commits = *rc::gen::inRange(1, 10); commits > 0; --commits) {
    auto store = open_store(folder / "log");
    std::vector<Store::Frame> frames;
    for (auto count = *rc::gen::inRange(1, 30); count > 0; --count) {
      auto words = *rc::gen::inRange<std::size_t>(1, 700);
      auto entry = model.emplace(next, Value(next, words)).first;
      frames.push_back({Position(next), entry->second.bytes()});
      next += *rc::gen::inRange<std::uint64_t>(1, 1'000);
    }
    RC_ASSERT(store->append(frames));
    auto expected = model.begin();
    auto read = store->read(Position(1), [&](const Store::Frame& frame) -> Result<bool> {
      RC_ASSERT(expected != model.end() && frame.first.value == expected->first);
      RC_ASSERT(std::ranges::equal(frame.value, expected->second.bytes()));
      RC_ASSERT(reinterpret_cast<std::uintptr_t>(frame.value.data()) % 8 == 0);
      ++expected;
      return true;
    });
    RC_ASSERT(read);
    RC_ASSERT(expected == model.end());
  }
}

TEST(Store, TakesNothingOutOfOrder) {
  TempFolder folder;
  auto store = new_store(folder / "log");
  const Value value(1, 1);
  ASSERT_TRUE(put(*store, 5, value));
  for (std::uint64_t wrong : {5, 4, 1}) {
    EXPECT_EQ(code_of(put(*store, wrong, value)), "unknown_outcome");
  }
  const std::vector<Store::Frame> frames = {{Position(6), value.bytes()},
                                            {Position(6), value.bytes()}};
  EXPECT_FALSE(store->append(frames));
  EXPECT_EQ(keys_from(*store, 1), Keys{5}) << "a commit is whole or not there";
}

TEST(Store, CannotBeOpenedTwiceByOneProcess) {
  TempFolder folder;
  auto store = new_store(folder / "log");
  for (auto access : {Access::read, Access::write}) {
    auto second = Store::open(folder / "log", {.access = access, .map_bytes = map_bytes});
    ASSERT_FALSE(second);
    EXPECT_EQ(code_of(second), "conflict");
  }
  store.reset();
  EXPECT_NE(open_store(folder / "log", Access::read), nullptr);
}

TEST(Store, SaysThatANewerFormatIsNewer) {
  TempFolder folder;
  ASSERT_TRUE(Store::create(folder / "log", {}));
  auto bytes = read_file(folder / "log/data.mdb");
  const std::string one = std::string("format") + '\1';
  for (auto at = bytes.find(one); at != std::string::npos; at = bytes.find(one, at + 1)) {
    bytes[at + one.size() - 1] = 2;
  }
  write_file(folder / "log/data.mdb", bytes);
  auto store = Store::open(folder / "log", {.map_bytes = map_bytes});
  ASSERT_FALSE(store);
  EXPECT_EQ(code_of(store), "newer_format");
  EXPECT_EQ(store.error().message, "the log has format 2, this version reads format 1");
}

TEST(Store, SaysThatAnotherProgramsDatabaseIsNotALog) {
  TempFolder folder;
  fs::create_directory(folder / "log");
  MDB_env* env = nullptr;
  ASSERT_EQ(mdb_env_create(&env), 0);
  ASSERT_EQ(mdb_env_open(env, (folder / "log").c_str(), 0, 0600), 0);
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
  ASSERT_EQ(mdb_dbi_open(txn, nullptr, 0, &dbi), 0);
  std::string text = "someone else's";
  MDB_val value{text.size(), text.data()};
  ASSERT_EQ(mdb_put(txn, dbi, &value, &value, 0), 0);
  ASSERT_EQ(mdb_txn_commit(txn), 0);
  mdb_env_close(env);
  for (auto access : {Access::read, Access::write}) {
    auto store = Store::open(folder / "log", {.access = access, .map_bytes = map_bytes});
    ASSERT_FALSE(store);
    EXPECT_EQ(code_of(store), "corrupt");
    EXPECT_EQ(store.error().message, "the file is not a log of Almanac");
  }
}

TEST(Store, SaysThatThereIsNone) {
  TempFolder folder;
  auto store = Store::open(folder / "log", {.map_bytes = map_bytes});
  ASSERT_FALSE(store);
  EXPECT_EQ(code_of(store), "not_found");
}

TEST(Store, IsReadByManyThreadsAtOnce) {
  TempFolder folder;
  auto store = new_store(folder / "log");
  for (std::uint64_t i = 1; i <= 100; ++i) ASSERT_TRUE(put(*store, i, Value(i, 10)));
  std::vector<std::thread> readers;
  for (int i = 0; i < 8; ++i) {
    readers.emplace_back([&] {
      for (int round = 0; round < 20; ++round) EXPECT_EQ(keys_from(*store, 1).size(), 100U);
    });
  }
  for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace almanac::test
