// Checkpoints that are written beside a log that grows.
#include <almanac/snapshots/checkpointer.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/story.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <optional>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class CheckpointerTest : public ::testing::Test {
 protected:
  ~CheckpointerTest() override { end(); }
  void start(const CheckpointPolicy& policy, Position newest = {}) {
    checkpointer.emplace(
        Checkpointer::Surroundings{.log = *log,
                                   .folder = place(),
                                   .state = [this] { return published(); },
                                   .report = [this](const CheckpointReport& one) { report(one); }},
        policy, newest);
  }
  void end() { checkpointer.reset(); }

  // Enqueues so many tasks, publishing each.
  void grow(std::uint64_t events) {
    for (; events > 0; --events) {
      ASSERT_TRUE(story.enqueue({.id = ++tasks_, .queue = "q"}));
      append();
    }
  }
  // Brings what the story has told last to the log, and publishes it.
  void append() {
    ASSERT_TRUE(log.append({story.events().back().event}));
    {
      std::lock_guard guard(mutex_);
      state_ = std::make_shared<const State>(story.state());
    }
    if (checkpointer) checkpointer->moved(story.state().position);
  }
  [[nodiscard]] fs::path place() const { return folder / "log"; }

  // The `count`-th one there is.
  CheckpointReport wait_for_report(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reports_.size() >= count; });
    return reports_[count - 1];
  }
  std::vector<CheckpointReport> reports() {
    std::lock_guard guard(mutex_);
    return reports_;
  }
  // It has looked for something new so many times more.
  void wait_for_looks(std::size_t count) {
    std::unique_lock lock(mutex_);
    const auto enough = looks_ + count;
    changed_.wait(lock, [&] { return looks_ >= enough; });
  }

  TempFolder folder;
  TestLog log{folder / "log"};
  Story story;
  std::optional<Checkpointer> checkpointer;

 private:
  std::shared_ptr<const State> published() {
    std::lock_guard guard(mutex_);
    ++looks_;
    changed_.notify_all();
    return state_;
  }
  void report(const CheckpointReport& one) {
    std::lock_guard guard(mutex_);
    reports_.push_back(one);
    changed_.notify_all();
  }

  std::uint64_t tasks_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const State> state_ = std::make_shared<const State>();
  std::vector<CheckpointReport> reports_;
  std::size_t looks_ = 0;
};

TEST_F(CheckpointerTest, WritesAfterSoManyEvents) {
  start({.events = 10, .period = 1h});
  grow(10);
  const auto first = wait_for_report(1);
  EXPECT_EQ(first.position, Position(10));
  auto read = read_checkpoint(checkpoint_file(place(), Position(10)));
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(to_hex(digest(read->state)), to_hex(digest(story.state())));
  EXPECT_EQ(*first.bytes, fs::file_size(checkpoint_file(place(), Position(10))));
  grow(10);
  EXPECT_EQ(wait_for_report(2).position, Position(20));
}

TEST_F(CheckpointerTest, CountsFromTheCheckpointThereIs) {
  grow(8);
  start({.events = 10, .period = 1h}, Position(5));
  grow(7);
  EXPECT_EQ(wait_for_report(1).position, Position(15));
}

TEST_F(CheckpointerTest, WritesAfterThePeriodWhenAnythingIsNew) {
  start({.period = 1ms});
  grow(1);
  EXPECT_EQ(wait_for_report(1).position, Position(1));
  wait_for_looks(3);
  EXPECT_EQ(reports().size(), 1U);
  grow(1);
  EXPECT_EQ(wait_for_report(2).position, Position(2));
}

TEST_F(CheckpointerTest, WritesALastOneWhenEnoughIsNew) {
  start({.period = 1h, .events_at_stop = 5});
  grow(4);
  end();
  EXPECT_TRUE(reports().empty());
  start({.period = 1h, .events_at_stop = 5});
  grow(1);
  end();
  ASSERT_EQ(reports().size(), 1U);
  EXPECT_EQ(checkpoints_of(place()), std::vector{Position(5)});
}

TEST_F(CheckpointerTest, TakesNoMoreThanATenthOfTheTime) {
  const auto began = std::chrono::steady_clock::now();
  start({.events = 1, .period = 1h});
  std::chrono::steady_clock::duration took{0};
  for (std::size_t i = 1; i <= 5; ++i) {
    grow(1);
    const auto report = wait_for_report(i);
    if (i < 5) took += report.took;
  }
  EXPECT_GE(std::chrono::steady_clock::now() - began, 9 * took);
}

TEST_F(CheckpointerTest, TriesAgainWhereItCouldNotWrite) {
  write_file(checkpoints_folder(place()), "in the way");
  start({.period = 1ms});
  grow(1);
  EXPECT_FALSE(wait_for_report(2).bytes);
  fs::remove(checkpoints_folder(place()));
  std::size_t count = 2;
  while (!wait_for_report(count).bytes) ++count;
  EXPECT_EQ(checkpoints_of(place()), std::vector{Position(1)});
}

TEST_F(CheckpointerTest, ClearsWhatAKilledWriterLeft) {
  fs::create_directory(checkpoints_folder(place()));
  write_file(checkpoints_folder(place()) / "17.writing", "half");
  start({.events = 1, .period = 1h});
  grow(1);
  wait_for_report(1);
  EXPECT_FALSE(fs::exists(checkpoints_folder(place()) / "17.writing"));
}

TEST_F(CheckpointerTest, KeepsNoMoreThanItMay) {
  start({.events = 1, .period = 1h, .count_max = 2});
  for (std::size_t i = 1; i <= 4; ++i) {
    grow(1);
    wait_for_report(i);
  }
  EXPECT_EQ(checkpoints_of(place()), (std::vector{Position(4), Position(3)}));
}

// What was refused at the start does not take the place of one that is whole.
TEST_F(CheckpointerTest, DoesNotCountThoseThatWereRefused) {
  grow(5);
  fs::create_directory(checkpoints_folder(place()));
  for (const std::uint64_t position : {3, 5, 999}) {
    write_file(checkpoint_file(place(), Position(position)), "damaged");
  }
  start({.events = 1, .period = 1h, .count_max = 2}, Position(2));
  grow(1);
  wait_for_report(1);
  EXPECT_EQ(checkpoints_of(place()),
            (std::vector{Position(999), Position(6), Position(5), Position(3)}));
  grow(1);
  wait_for_report(2);
  EXPECT_EQ(checkpoints_of(place()), (std::vector{Position(999), Position(7), Position(6)}));
}

TEST_F(CheckpointerTest, LetsTheLogBeTrimmedBelowTheOlderOfTwo) {
  auto trimmed = [&] { return log->trim({.before = Position(UINT64_MAX)}); };
  start({.events = 3, .period = 1h});
  grow(1);
  story.cancel(1);
  append();
  grow(1);
  EXPECT_EQ(wait_for_report(1).position, Position(3));
  EXPECT_EQ(trimmed().error().code, ErrorCode::refused) << "one alone may be damaged";
  story.cancel(2);
  append();
  grow(2);
  EXPECT_EQ(wait_for_report(2).position, Position(6));
  EXPECT_EQ(trimmed()->held_by, Position(3));
}

TEST_F(CheckpointerTest, KeepsTheRequestsOfTasksThatHaveNotEnded) {
  start({.events = 4, .period = 1h});
  grow(4);
  wait_for_report(1);
  story.cancel(1);
  append();
  grow(3);
  wait_for_report(2);
  EXPECT_EQ(log->trim({.before = Position(UINT64_MAX)})->held_by, Position(1));
}

}  // namespace
}  // namespace almanac::test
