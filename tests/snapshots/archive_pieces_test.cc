// What a follower archives at once: how much, and how soon after what it archived before.
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_follower.h>
#include <almanac/snapshots/archive_verify.h>
#include <almanac/snapshots/archived_log.h>
#include <almanac/snapshots/limits.h>
#include <almanac/tests/support/noon.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class ArchivePieces : public ::testing::Test {
 protected:
  // So many events, each a frame.
  void append(std::size_t count) {
    for (; count > 0; --count) {
      ASSERT_TRUE(log.append(numbered_events(log->tail()->last.value + 1, 1)));
    }
  }
  // A frame of so many bytes that nobody can make smaller.
  void append_bytes(std::size_t bytes) {
    std::string data(bytes, {});
    std::ranges::generate(data, [&] { return static_cast<char>(random_()); });
    ASSERT_TRUE(log.append({{.at = noon, .body = CustomEvent{"large", as_bytes(data)}}}));
  }
  [[nodiscard]] Position end() { return log->tail()->last; }

  void follow(FollowOptions options) {
    options.clock = [] { return noon; };
    options.report = [this](const FollowStatus& status) {
      const std::lock_guard guard(mutex_);
      if (told_.empty() || status.archived.last != told_.back().through) {
        told_.push_back({status.archived.last, Clock::now()});
      }
      changed_.notify_all();
    };
    follower = std::make_unique<ArchiveFollower>(
        ArchiveFollower::Surroundings{.log = *log,
                                      .folder = folder / "log",
                                      .open_repository =
                                          [this](Access access) {
                                            if (access == Access::write) pass_gate();
                                            return Repository::open(store, access);
                                          }},
        std::move(options));
  }
  // When all of the log was archived.
  Clock::time_point wait_for_end() {
    const Position last = end();
    std::unique_lock lock(mutex_);
    const auto came = changed_.wait_for(
        lock, 1min, [&] { return !told_.empty() && told_.back().through == last; });
    EXPECT_TRUE(came);
    return told_.back().at;
  }

  // What is archived next waits at the repository until the gate is opened.
  void close_gate() {
    const std::lock_guard guard(mutex_);
    is_closed_ = true;
  }
  void wait_at_gate() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 1min, [&] { return is_waiting_; }));
  }
  void open_gate() {
    const std::lock_guard guard(mutex_);
    is_closed_ = false;
    changed_.notify_all();
  }

  [[nodiscard]] NewestArchived newest() {
    return *find_newest(*Repository::open(store, Access::read), log->timeline());
  }
  void expect_whole() {
    const auto repository = Repository::open(store, Access::read);
    auto verified = verify_archive(*repository, {});
    ASSERT_TRUE(verified);
    for (const auto& tail : verified->tails) {
      for (const Error& error : tail.damage) ADD_FAILURE() << describe(error);
    }
  }

  TempFolder folder;
  const std::filesystem::path store = folder / "backup";
  TestLog log{folder / "log"};

 private:
  struct Told {
    Position through;
    Clock::time_point at;
  };
  void pass_gate() {
    std::unique_lock lock(mutex_);
    is_waiting_ = is_closed_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !is_closed_; });
    is_waiting_ = false;
  }

  std::mt19937_64 random_{20'261'123};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Told> told_;   // guarded by mutex_
  bool is_closed_ = false;   // guarded by mutex_
  bool is_waiting_ = false;  // guarded by mutex_

 protected:
  std::unique_ptr<ArchiveFollower> follower;
};

TEST_F(ArchivePieces, RestNineTimesAsLongAsTheOneBeforeTook) {
  append(1);
  follow({.every = 1h, .bytes = 1});
  wait_for_end();
  close_gate();
  append(1);
  wait_at_gate();
  const auto began = Clock::now();
  while (Clock::now() - began < 100ms) append(1);  // for the next one
  const auto ended = Clock::now();
  open_gate();
  EXPECT_GE(wait_for_end() - ended, 9 * (ended - began));
  EXPECT_EQ(newest().tail->segments.size(), 2U);
  expect_whole();
}

TEST_F(ArchivePieces, DoNotWaitForTheRestOnceTheOldestEventIsDue) {
  append(1);
  follow({.every = 10ms, .bytes = 1});
  wait_for_end();
  close_gate();
  append(1);
  wait_at_gate();
  const auto began = Clock::now();
  while (Clock::now() - began < 10s / 9) append(1);
  const auto ended = Clock::now();
  open_gate();
  EXPECT_LT(wait_for_end() - ended, 9 * (ended - began)) << "the rest is no reason to lose more";
}

// In the memory of those before, which are of many runs and of one.
TEST_F(ArchivePieces, AreWholeBehindLargeOnes) {
  append(1);
  follow({.every = 1ms});
  wait_for_end();
  for (const std::size_t kibibytes : {9'000, 100, 5'000, 12'000, 1, 6'000}) {
    for (std::size_t i = 0; i < kibibytes; i += 500) append_bytes(500 * limits::kibibyte);
    wait_for_end();
  }
  follower.reset();
  EXPECT_EQ(newest().joined().tail.digest, log->tail()->digest);
  expect_whole();
}

}  // namespace
}  // namespace almanac::test
