// What was archived outlives a power loss at any moment, and archiving goes on over whatever is
// left. So does a log that was restored; one that was being restored is whole or not there.
#include <almanac/tests/disk/archived_story.h>
#include <almanac/tests/disk/crash_check.h>
#include <almanac/tests/disk/state_folder.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>
#include <string>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

class ArchivePowerLoss : public ::testing::Test {
 protected:
  ArchivePowerLoss() { fs::create_directory(disk()); }

  // Something new that goes into the archive by itself.
  void ship() {
    story.work(2);
    ASSERT_TRUE(story.ship(store()));
  }
  void snapshot() {
    story.work(2);
    const auto made = story.snapshot(store());
    ASSERT_TRUE(made) << describe(made.error());
  }

  // What `operation` does to the disk, which marks what is there from then on.
  CrashCheck record(const std::function<void(Recorder&)>& operation) {
    CrashCheck check{.before = read_image(disk(), pool), .recording = {}, .problem_of = {}};
    Recorder recorder(disk());
    {
      const Watching watching(recorder);
      operation(recorder);
    }
    check.recording = recorder.take();
    return check;
  }
  static void promise(Recorder& recorder, Position position) {
    recorder.mark({.kind = Mark::Kind::acknowledged, .position = position.value});
  }

  // The archive has all that was promised, and the next snapshot the rest.
  [[nodiscard]] std::string problem_of_archive(const fs::path& found,
                                               std::uint64_t promised) const {
    if (promised > 0) {
      auto problem = story.problem_of(found / "backup", Position(promised));
      if (!problem.empty()) return problem;
    }
    return story.problem_of_going_on(found / "backup", found / "restored");
  }
  // The log is whole, or it is not there, was not promised, and can be restored.
  [[nodiscard]] std::string problem_of_target(const fs::path& found, std::uint64_t promised) const {
    const fs::path target = found / "restored";
    if (!fs::exists(target)) {
      if (promised > 0) return "what was restored is gone";
      const auto restored = story.restore_to(target, story.end(), store());
      if (!restored) return describe(restored.error());
    }
    return story.problem_of_restored(target, story.end());
  }

  // One of both logs is in place, the restored one where it was promised, and none is gone.
  [[nodiscard]] std::string problem_of_place(const fs::path& found, std::uint64_t promised) const {
    if (!fs::exists(found / "restored")) return "no log is in place";
    if (!has_log(found, earlier)) return "the earlier log is gone";
    if (timeline_in(found / "restored") != earlier) return problem_of_target(found, promised);
    if (promised > 0) return "what was restored is not in place";
    return story.problem_of_restored(found / "restored", earlier_end);
  }

  CrashCheck snapshots() {
    CrashCheck check = record([&](Recorder& recorder) {
      for (int i = 0; i < 3; ++i) {
        snapshot();
        promise(recorder, story.end());
      }
    });
    check.problem_of = std::bind_front(&ArchivePowerLoss::problem_of_archive, this);
    return check;
  }
  // One that merges the tail, one more, and the snapshot that takes it over.
  CrashCheck shippings() {
    snapshot();
    for (int i = 0; i < 7; ++i) ship();
    CrashCheck check = record([&](Recorder& recorder) {
      promise(recorder, story.end());
      for (int i = 0; i < 2; ++i) {
        story.work(2);
        ASSERT_TRUE(story.ship(store(), [&](Position end) { promise(recorder, end); }));
      }
      snapshot();
      promise(recorder, story.end());
    });
    check.problem_of = std::bind_front(&ArchivePowerLoss::problem_of_archive, this);
    return check;
  }
  // A log without its front, so that restoring it takes a state as well.
  void archive_trimmed() {
    store_folder = made.path() / "backup";
    story.work(10);
    story.trim();
    snapshot();
    ship();
  }
  CrashCheck record_restore() {
    return record([&](Recorder& recorder) {
      const auto restored = story.restore_to(disk() / "restored", story.end(), store());
      ASSERT_TRUE(restored) << describe(restored.error());
      promise(recorder, story.end());
    });
  }
  CrashCheck restore() {
    archive_trimmed();
    CrashCheck check = record_restore();
    check.problem_of = std::bind_front(&ArchivePowerLoss::problem_of_target, this);
    return check;
  }
  CrashCheck replacing() {
    archive_trimmed();
    earlier_end = story.end();
    EXPECT_TRUE(story.restore_to(disk() / "restored", earlier_end, store()));
    earlier = timeline_in(disk() / "restored");
    ship();
    CrashCheck check = record_restore();
    check.problem_of = std::bind_front(&ArchivePowerLoss::problem_of_place, this);
    return check;
  }

  void expect_no_problem(const CrashCheck& check, std::size_t states_min) {
    const CrashReport report = crash_everywhere(check, pool);
    EXPECT_EQ(report.problem, "");
    std::cout << report.states << " states after " << check.recording.calls() << " calls\n";
    EXPECT_GT(report.states, states_min) << "too little was done to count";
  }
  void expect_noticed(const CrashCheck& check, const DiskFaults& faults) {
    EXPECT_NE(crash_everywhere(check, pool, faults).problem, "");
  }

  [[nodiscard]] fs::path disk() const { return made.path() / "disk"; }
  [[nodiscard]] const fs::path& store() const { return store_folder; }

  MemoryFolder made;
  fs::path store_folder = disk() / "backup";
  ArchivedStory story{made.path()};
  SectorPool pool;
  std::optional<Timeline> earlier;  // of the log to be replaced, and where that was restored to
  Position earlier_end;
};

TEST_F(ArchivePowerLoss, LeavesWholeSnapshotsOrNone) { expect_no_problem(snapshots(), 200); }

TEST_F(ArchivePowerLoss, LeavesWhatATailWasSaidToHold) { expect_no_problem(shippings(), 200); }

TEST_F(ArchivePowerLoss, LeavesARestoredLogOrNone) { expect_no_problem(restore(), 200); }

TEST_F(ArchivePowerLoss, LeavesALogInPlaceWhileItIsReplaced) {
  expect_no_problem(replacing(), 200);
}

TEST_F(ArchivePowerLoss, IsNoticedInSnapshotsOnADiskThatDoesNotSync) {
  const CrashCheck check = snapshots();
  expect_noticed(check, {.data_sync_ignored = true});
  expect_noticed(check, {.folder_sync_ignored = true});
}

TEST_F(ArchivePowerLoss, IsNoticedInATailOnADiskThatDoesNotSync) {
  const CrashCheck check = shippings();
  expect_noticed(check, {.data_sync_ignored = true});
  expect_noticed(check, {.folder_sync_ignored = true});
}

TEST_F(ArchivePowerLoss, IsNoticedInARestoredLogOnADiskThatDoesNotSync) {
  const CrashCheck check = restore();
  expect_noticed(check, {.data_sync_ignored = true});
  expect_noticed(check, {.folder_sync_ignored = true});
}

TEST_F(ArchivePowerLoss, IsNoticedInALogInPlaceOnADiskThatDoesNotSync) {
  const CrashCheck check = replacing();
  expect_noticed(check, {.data_sync_ignored = true});
  expect_noticed(check, {.folder_sync_ignored = true});
}

}  // namespace
}  // namespace almanac::test
