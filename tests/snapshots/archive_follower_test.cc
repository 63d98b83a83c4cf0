// A log that is archived while it grows: how far, at what cost, and what may go wrong meanwhile.
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_follower.h>
#include <almanac/snapshots/archive_verify.h>
#include <almanac/snapshots/archived_log.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/drill.h>
#include <almanac/snapshots/follow_beat.h>
#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/prune.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/restore.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/noon.h>
#include <almanac/tests/support/small_disk.h>
#include <almanac/tests/support/story.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Follower : public ::testing::Test {
 protected:
  ~Follower() override { follower.reset(); }

  // So many tasks come and every second one ends; each event is a frame.
  void work(std::uint64_t count) {
    for (; count > 0; --count) {
      const std::size_t told = story.events().size();
      story.enqueue({.id = ++tasks});
      if (tasks % 2 == 0 && story.start(tasks)) story.succeed(tasks);
      for (std::size_t i = told; i < story.events().size(); ++i) {
        fold_into(state, story.events()[i]);
        digests.push_back(digest(state));
        ASSERT_TRUE(log->append({story.events()[i].event}));
      }
    }
  }
  [[nodiscard]] Position end() const { return state.position; }

  void follow(FollowOptions options = {.every = 5ms}) {
    options.report = [this](const FollowStatus& status) {
      const std::lock_guard guard(mutex_);
      last_report_ = status;
      reports_.push_back(status);
      changed_.notify_all();
    };
    options.clock = [this] { return Time(Duration(now.load())); };
    last_report_.reset();
    follower = std::make_unique<ArchiveFollower>(
        ArchiveFollower::Surroundings{
            .log = **log,
            .folder = place(),
            .open_repository = [this](Access access) { return Repository::open(store, access); }},
        std::move(options));
  }
  // Fails the test when that does not come.
  FollowStatus wait_until(const std::function<bool(const FollowStatus&)>& is_so) {
    std::unique_lock lock(mutex_);
    const auto came =
        changed_.wait_for(lock, 1min, [&] { return last_report_ && is_so(*last_report_); });
    EXPECT_TRUE(came);
    return last_report_.value_or(FollowStatus());
  }
  FollowStatus wait_for_end() {
    return wait_until([&](const FollowStatus& status) { return status.archived.last == end(); });
  }
  FollowStatus wait_for_failure() {
    return wait_until([](const FollowStatus& status) { return status.failure.has_value(); });
  }
  // One event after the other, each archived by itself.
  void work_and_wait(std::uint64_t count) {
    for (; count > 0; --count) {
      work(1);
      wait_for_end();
    }
  }
  std::vector<FollowStatus> reports() {
    const std::lock_guard guard(mutex_);
    return reports_;
  }

  [[nodiscard]] fs::path place() const { return folder / "log"; }
  [[nodiscard]] Repository repository(Access access = Access::read) const {
    auto opened = Repository::open(store, access, {}, 10s);
    EXPECT_TRUE(opened) << describe(opened.error());
    return std::move(*opened);
  }
  [[nodiscard]] NewestArchived newest() const {
    return *find_newest(repository(), (*log)->timeline());
  }
  SnapshotReport snapshot(bool full = false) {
    auto to = repository(Access::write);
    auto made = create_snapshot(**log, place(), to, {.made_at = noon, .full = full});
    EXPECT_TRUE(made) << describe(made.error());
    return made.value_or(SnapshotReport());
  }
  Result<RestoreReport> restored(const RestorePoint& point) {
    const Repository from = repository();
    auto plan = plan_restore(from, point);
    if (!plan) return std::unexpected(plan.error());
    auto made = restore(from, *plan, folder / "restored", {.now = story.now()});
    fs::remove_all(folder / "restored");
    return made;
  }
  void expect_whole() {
    auto verified = verify_archive(repository(), {});
    ASSERT_TRUE(verified);
    for (const auto& snapshot : verified->snapshots) {
      for (const Error& error : snapshot.damage) ADD_FAILURE() << describe(error);
    }
    for (const auto& tail : verified->tails) {
      for (const Error& error : tail.damage) ADD_FAILURE() << describe(error);
    }
    auto unreferenced = repository().unreferenced();
    ASSERT_TRUE(unreferenced);
    EXPECT_TRUE(unreferenced->empty()) << unreferenced->size();
  }

  TempFolder folder;
  fs::path store = folder / "backup";
  std::unique_ptr<TestLog> log = std::make_unique<TestLog>(folder / "log");
  Story story;
  State state;
  std::vector<Digest> digests;  // of the state at each position
  std::uint64_t tasks = 0;
  std::atomic<Duration::rep> now{noon.time_since_epoch().count()};
  std::unique_ptr<ArchiveFollower> follower;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<FollowStatus> last_report_;  // guarded by mutex_
  std::vector<FollowStatus> reports_;        // guarded by mutex_
};

TEST_F(Follower, ArchivesWhatIsNewBehindASnapshot) {
  work(3);
  follow();
  auto status = wait_for_end();
  EXPECT_EQ(status.snapshot, 1U);
  const Position first = newest().snapshot.tail.last;
  work_and_wait(10);
  status = follower->status();
  EXPECT_EQ(status.archived.last, end());
  EXPECT_EQ(status.archived.time, (*log)->tail()->time);
  EXPECT_EQ(status.archived_at, noon);
  EXPECT_EQ(status.last, end());
  EXPECT_FALSE(status.failure);
  const auto archived = newest();
  ASSERT_TRUE(archived.tail);
  EXPECT_EQ(archived.tail->first(), first.next());
  EXPECT_EQ(archived.tail->end.digest, (*log)->tail()->digest);
  EXPECT_EQ(repository().numbers().size(), 1U);
  expect_whole();
}

TEST_F(Follower, LetsEveryMomentOfATailBeRestored) {
  work(3);
  follow();
  wait_for_end();
  const Position snapshot = newest().snapshot.tail.last;
  work_and_wait(8);
  for (auto at = snapshot.value; at <= end().value; ++at) {
    auto made = restored({.snapshot = {}, .moment = Position(at)});
    ASSERT_TRUE(made) << describe(made.error());
    EXPECT_EQ(digest(made->state), digests[at - 1]) << at;
  }
  auto at_the_end = restored({});
  ASSERT_TRUE(at_the_end) << describe(at_the_end.error());
  EXPECT_EQ(digest(at_the_end->state), digests.back());
  auto by_time = restored({.snapshot = {}, .moment = (*log)->tail()->time});
  ASSERT_TRUE(by_time) << describe(by_time.error());
  EXPECT_EQ(digest(by_time->state), digests.back());
  EXPECT_EQ(restored({.snapshot = 1, .moment = {}})->state.position, snapshot);
  EXPECT_EQ(code_of(restored({.snapshot = 1, .moment = end()})), "not_found");
  EXPECT_EQ(code_of(restored({.snapshot = {}, .moment = end().next()})), "not_found");
  fs::create_directory(folder / "place");
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    auto drilled = drill(repository(), {.folder = folder / "place", .seed = seed});
    EXPECT_TRUE(drilled) << describe(drilled.error());
  }
}

TEST_F(Follower, KeepsFewFilesHoweverOftenItArchives) {
  work(1);
  follow();
  work_and_wait(60);
  const auto archived = newest();
  EXPECT_LT(archived.tail->segments.size(), 20U);
  EXPECT_EQ(repository().files().size(), files_of(archived.joined()).size());
  expect_whole();
}

TEST_F(Follower, ArchivesAtOnceWhatHasManyBytes) {
  work(1);
  follow({.every = 1h, .bytes = 1});
  wait_for_end();
  work_and_wait(3);
  follower.reset();
  follow({.every = 1h});
  work(3);
  follower.reset();
  EXPECT_EQ(newest().joined().tail.last, end()) << "what is left at its end is archived";
}

TEST_F(Follower, TellsHowMuchWouldBeLost) {
  work(1);
  follow({.every = 1h, .bytes = 1});
  wait_until([](const FollowStatus& status) { return status.looked_at == noon; });
  EXPECT_EQ(follower->status().loss_window(story.now()), 0s);
  fs::rename(store, folder / "aside");
  const Time missing = story.now();
  work(3);
  const auto status = wait_for_failure();
  EXPECT_EQ(status.missing_since, missing);
  EXPECT_EQ(status.loss_window(missing + 7s), 7s);
}

TEST_F(Follower, GoesOnBehindSnapshotsMadeBesideIt) {
  work(1);
  follow();
  for (int i = 0; i < 5; ++i) {
    work_and_wait(3);
    {
      auto to = repository(Access::write);
      EXPECT_TRUE(prune(to, {.policy = {.last = 2}, .now = noon}));
    }
    expect_whole();
    work(1);
    const auto made = snapshot();
    EXPECT_TRUE(made.made);
    EXPECT_EQ(made.manifest.tail.last, end());
  }
  wait_for_end();
  work_and_wait(2);
  EXPECT_EQ(newest().snapshot.number, 6U);
  expect_whole();
  // All of them in files that are there already.
  const auto tail = newest().tail;
  follower.reset();
  EXPECT_EQ(snapshot().frame_bytes, 0U);
  EXPECT_EQ(code_of(repository().tail((*log)->timeline())), "not_found");
  EXPECT_EQ(newest().joined().tail.digest, tail->end.digest);
  expect_whole();
}

TEST_F(Follower, MakesSnapshotsItself) {
  work(1);
  follow({.every = 5ms, .snapshot_every = 1h});
  wait_for_end();
  work_and_wait(2);
  EXPECT_EQ(follower->status().snapshot, 1U);
  now += Duration(1h).count();
  work(1);
  wait_until([](const FollowStatus& status) { return status.snapshot == 2; });
  work_and_wait(2);
  EXPECT_EQ(follower->status().snapshot, 2U);
  expect_whole();
}

TEST_F(Follower, GivesSignsOfLifeThoughNothingIsAppended) {
  work(3);
  snapshot();
  EXPECT_FALSE(last_beat(repository(), (*log)->timeline()));
  follow();
  wait_until([](const FollowStatus& status) { return status.looked_at == noon; });
  for (int i = 1; i <= 3; ++i) {
    const Time later = noon + i * 11s;
    now = later.time_since_epoch().count();
    wait_until([&](const FollowStatus& told) { return told.looked_at == later; });
    EXPECT_EQ(last_beat(repository(), (*log)->timeline()), later);
  }
  EXPECT_EQ((*log)->tail()->last, end()) << "no event is appended for it";
  expect_whole();
}

TEST_F(Follower, GivesNoSignOfLifeWithoutItsRepository) {
  work(3);
  follow();
  wait_until([](const FollowStatus& status) { return status.looked_at == noon; });
  fs::rename(store, folder / "aside");
  now = (noon + 11s).time_since_epoch().count();
  EXPECT_EQ(wait_for_failure().looked_at, noon);
  fs::rename(folder / "aside", store);
  EXPECT_EQ(last_beat(repository(), (*log)->timeline()), noon);
  wait_until([](const FollowStatus& told) { return told.looked_at == noon + 11s; });
}

TEST_F(Follower, WaitsForTheFirstEventOfALog) {
  follow();
  follower.reset();
  EXPECT_FALSE(fs::exists(store));
  follow();
  work(1);
  wait_for_end();
  for (const FollowStatus& each : reports()) EXPECT_FALSE(each.failure);
}

TEST_F(Follower, GoesOnWhenAFullDiskHasRoomAgain) {
  fs::create_directory(folder / "disk");
  const SmallDisk disk(folder / "disk", limits::mebibyte);
  store = disk.path() / "backup";
  work(1);
  follow();
  wait_for_end();
  disk.fill();
  work(2);
  EXPECT_EQ(wait_for_failure().failure->code, ErrorCode::storage_full);
  work(2);
  disk.make_room();
  EXPECT_FALSE(wait_for_end().failure);
  expect_whole();
}

TEST_F(Follower, KnowsWhatWouldBeLostBeforeAnythingIsArchived) {
  const Time missing = story.now();
  work(2);
  write_file(store, "no folder");
  follow();
  wait_for_failure();
  const auto status =
      wait_until([](const FollowStatus& each) { return each.missing_since.has_value(); });
  EXPECT_EQ(status.missing_since, missing);
  fs::remove(store);
  EXPECT_FALSE(wait_for_end().missing_since);
}

// As when the disk it is on was taken away: the empty place it leaves gets no repository.
TEST_F(Follower, GoesOnWhenTheRepositoryIsThereAgain) {
  work(1);
  follow();
  wait_for_end();
  fs::rename(store, folder / "aside");
  fs::create_directory(store);
  work(2);
  EXPECT_EQ(wait_for_failure().failure->code, ErrorCode::not_found);
  EXPECT_TRUE(fs::is_empty(store));
  fs::remove(store);
  fs::rename(folder / "aside", store);
  EXPECT_FALSE(wait_for_end().failure);
  const auto all = reports();
  const auto failed =
      std::ranges::count_if(all, [](auto& each) { return each.failure.has_value(); });
  EXPECT_EQ(failed, 1) << "told once, however often it tried";
  expect_whole();
}

TEST_F(Follower, TellsTheGapThatATrimLeft) {
  work(2);
  follow();
  wait_for_end();
  const Position archived = end();
  fs::rename(store, folder / "aside");
  // Each has a value of the store to itself, so that any can be trimmed.
  const std::string data(600 * limits::kibibyte, 'x');
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(log->append({{.at = story.now(), .body = CustomEvent{"large", as_bytes(data)}}}));
  }
  wait_for_failure();
  follower.reset();
  fs::rename(folder / "aside", store);
  log.reset();
  log = std::make_unique<TestLog>(place());
  ASSERT_TRUE(keep_checkpoint(**log, place(), *rebuild(**log)));
  const Position last = (*log)->tail()->last;
  ASSERT_TRUE((*log)->set_checkpoint(last));
  ASSERT_TRUE((*log)->trim({.before = Position(archived.value + 4)}));
  follow();
  const auto status = wait_for_failure();
  EXPECT_EQ(status.failure->code, ErrorCode::refused);
  const std::string gap = "positions " + std::to_string(archived.value + 1) + " to " +
                          std::to_string(archived.value + 3) + " are neither";
  EXPECT_EQ(status.failure->message.find(gap), 0U) << status.failure->message;
  (void)snapshot(true);
  wait_until([&](auto& each) { return each.archived.last == last; });
}

// Killed between a segment and the tail that names it, or between a merge and its end.
TEST_F(Follower, TakesNoNoticeOfWhatAKillLeft) {
  work(1);
  follow();
  work_and_wait(3);
  follower.reset();
  work(1);
  // The segment that would have been the next, and another that was merged.
  const auto tail = *newest().tail;
  {
    auto to = repository(Access::write);
    ArchiveTail without = tail;
    without.segments.pop_back();
    without.end = {.last = without.segments.back().header.last,
                   .digest = without.segments.back().header.digest,
                   .time = without.segments.back().header.last_time};
    ASSERT_TRUE(to.put(without));
    write_file(store / "tails" / (to_hex(tail.timeline) + ".writing"), "half");
  }
  follow();
  wait_for_end();
  follower.reset();
  EXPECT_EQ(digest(restored({})->state), digests.back());
  (void)snapshot();
  expect_whole();
  EXPECT_TRUE(fs::is_empty(store / "tails"));
}

TEST_F(Follower, ArchivesAgainWhatADamagedTailHeld) {
  work(1);
  follow();
  work_and_wait(3);
  follower.reset();
  const fs::path file = repository().path_of((*log)->timeline());
  const std::string whole = read_file(file);
  write_file(file, whole.substr(0, whole.size() / 2));
  auto refused = restored({});
  ASSERT_EQ(code_of(refused), "corrupt");
  EXPECT_NE(refused.error().message.find(file.string()), std::string::npos);
  EXPECT_EQ(code_of(restored({.snapshot = {}, .moment = end()})), "corrupt");
  EXPECT_EQ(code_of(restored({.snapshot = {}, .moment = newest().snapshot.tail.last})), "ok");
  auto to = repository(Access::write);
  EXPECT_EQ(code_of(prune(to, {.policy = {.last = 1}, .now = noon})), "corrupt");
  to = repository();
  work(1);
  follow();
  wait_for_end();
  EXPECT_EQ(digest(restored({})->state), digests.back());
}

// Who reads a tail finds its frames when the files have become others.
TEST_F(Follower, LeavesReadersOfATailTheirFrames) {
  work(1);
  follow();
  work_and_wait(7);
  const Repository from = repository();
  const ArchivedLog archived(from, newest().joined());
  const auto files = files_of(archived.manifest());
  std::vector<Position> seen;
  auto read = archived.read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
    seen.push_back(frame.header().first);
    if (seen.size() == 3) work_and_wait(20);
    if (seen.size() == 9) {
      work(1);
      (void)snapshot();
    }
    return true;
  });
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(seen.size(), archived.manifest().tail.last.value);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  const auto left = from.files();
  EXPECT_FALSE(std::ranges::all_of(files, [&](auto& each) {
    return std::ranges::find(left, each) != left.end();
  })) << "none was replaced";
}

// Also where the reader has got to inside the file that took their place.
TEST_F(Follower, LeavesReadersOfATailWhatIsBehindTheirPlaceInAMergedFile) {
  work(1);
  follow();
  work_and_wait(7);
  const Repository from = repository();
  const ArchivedLog archived(from, newest().joined());
  const auto files = named_files(*newest().tail);
  const auto before = [&](std::size_t i) { return folder / ("before" + std::to_string(i)); };
  for (std::size_t i = 0; i < 3; ++i) fs::copy_file(from.path_of(files[i].name), before(i));
  work_and_wait(20);
  follower.reset();
  ASSERT_FALSE(fs::exists(from.path_of(files[3].name)));
  for (std::size_t i = 0; i < 3; ++i) {
    fs::copy_file(before(i), from.path_of(files[i].name), fs::copy_options::overwrite_existing);
  }
  std::uint64_t seen = 0;
  auto read = archived.read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
    EXPECT_EQ(frame.header().first.value, ++seen);
    return true;
  });
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(seen, archived.manifest().tail.last.value);
}

}  // namespace
}  // namespace almanac::test
