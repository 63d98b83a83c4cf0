#include <almanac/log/limits.h>
#include <almanac/log/settler.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

namespace almanac::test {
namespace {

constexpr auto patience = std::chrono::seconds(20);

// Remembers what its owner was told.
class TrimRecord final : public Journal {
 public:
  Result<void> recover(const JournalStart&, const Visit&) override { return {}; }
  Result<void> append(const FrameView&, Space) override { return {}; }
  void trim(Position through) override {
    std::lock_guard guard(mutex_);
    through_ = through;
    trimmed_.notify_all();
  }
  void set_reserve(std::size_t) override {}
  std::uint64_t size_bytes() const override { return 0; }

  [[nodiscard]] Position through() const {
    std::lock_guard guard(mutex_);
    return through_;
  }
  bool wait_for(Position through) {
    std::unique_lock lock(mutex_);
    return trimmed_.wait_for(lock, patience, [&] { return through_ == through; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable trimmed_;
  Position through_;  // guarded by the mutex
};

class SettlerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(Store::create(folder_ / "store", {}));
    auto store = Store::open(folder_ / "store", {.map_bytes = limits::map_bytes_default});
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    index_.emplace(*store_);
    settler_.emplace(Settler::Parts{recent_, *index_, *store_, journal_, [this] {
                                      std::lock_guard guard(mutex_);
                                      ++settled_;
                                      changed_.notify_all();
                                    }});
  }
  // In a commit of its own, at once.
  void settle(std::uint64_t position) {
    recent_.add(std::make_shared<const OwnedFrame>(OwnedFrame{
        Position(position), Position(position),
        std::vector<std::uint64_t>(limits::settle_bytes_min / sizeof(position), position)}));
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, patience, [&] { return settled_ == position; }));
  }

  TempFolder folder_;
  TrimRecord journal_;
  RecentFrames recent_;
  std::unique_ptr<Store> store_;
  std::optional<Index> index_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t settled_ = 0;  // guarded by the mutex
  std::optional<Settler> settler_;
};

TEST_F(SettlerTest, LeavesInTheJournalWhatTheLastTwoCommitsBroughtToTheStore) {
  for (std::uint64_t position = 1; position <= 4; ++position) settle(position);
  EXPECT_EQ(journal_.through(), Position(2));
}

// Otherwise a journal that is full would be so for ever: commits come with appends.
TEST_F(SettlerTest, GivesAllOfItBackWhenTheJournalLacksRoom) {
  for (std::uint64_t position = 1; position <= 2; ++position) settle(position);
  recent_.ask_for_room();
  EXPECT_TRUE(journal_.wait_for(Position(2)));
  settle(3);
  EXPECT_EQ(journal_.through(), Position(2)) << "and keeps again what comes then";
  recent_.ask_for_room();
  EXPECT_TRUE(journal_.wait_for(Position(3)));
}

}  // namespace
}  // namespace almanac::test
