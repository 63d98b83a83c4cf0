// A snapshot that was made outlives a power loss at any moment, one that was being made is not
// there, and the next one is made over whatever is left.
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_verify.h>
#include <almanac/tests/disk/crash_point.h>
#include <almanac/tests/disk/recording.h>
#include <almanac/tests/disk/state_folder.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>
#include <string>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t snapshots_made = 3;
constexpr StateLimits few{.family_max = 12, .random_states = 8, .all_subsets_of_max = 5};

Result<SnapshotReport> snapshot(TestLog& log, const fs::path& folder, const fs::path& place) {
  auto repository = Repository::open(place, Access::write);
  if (!repository) return std::unexpected(repository.error());
  return create_snapshot(*log, folder, *repository, {.made_at = Time(Duration(1))});
}

// What is wrong with the snapshots of a repository, and "" when they are whole.
std::string damage_in(const fs::path& place, std::uint64_t& newest) {
  auto repository = Repository::open(place, Access::read);
  if (!repository) return newest == 0 ? "" : describe(repository.error());
  const auto numbers = repository->numbers();
  if ((numbers.empty() ? 0 : numbers.front()) < newest) return "a snapshot is gone";
  newest = numbers.empty() ? 0 : numbers.front();
  auto verified = verify_archive(*repository, {});
  if (!verified) return describe(verified.error());
  for (const CheckedSnapshot& each : verified->snapshots) {
    if (!each.whole()) return describe(each.damage.front());
  }
  return "";
}

std::size_t unfinished_in(const fs::path& place) {
  return static_cast<std::size_t>(std::ranges::count_if(
      fs::recursive_directory_iterator(place),
      [](const auto& entry) { return entry.path().extension() == ".writing"; }));
}

class ArchivePowerLoss : public ::testing::Test {
 protected:
  // Snapshots into an empty folder, each marked when it is there.
  void record() {
    fs::create_directory(folder / "disk");
    Recorder recorder(folder / "disk");
    {
      const Watching watching(recorder);
      for (std::uint64_t number = 1; number <= snapshots_made; ++number) {
        ASSERT_TRUE(log.append(numbered_events(100 * number, 3)));
        auto made = snapshot(log, folder / "log", folder / "disk/backup");
        ASSERT_TRUE(made) << describe(made.error());
        recorder.mark({.kind = Mark::Kind::acknowledged, .position = number});
      }
    }
    recording = recorder.take();
  }

  // What is wrong with such a disk, on which `newest` must be; "" when nothing is.
  std::string problem_of(const DiskImage& image, std::uint64_t newest) {
    const MemoryFolder disk;
    StateFolder(disk.path(), pool).make(image);
    const fs::path place = disk.path() / "backup";
    if (auto damage = damage_in(place, newest); !damage.empty()) return damage;
    auto made = snapshot(log, folder / "log", place);
    if (!made) return describe(made.error());
    if (made->made != (newest < snapshots_made)) return "there are more snapshots than were made";
    if (made->manifest.tail.last != log->tail()->last) return "the new snapshot is too short";
    if (made->made && unfinished_in(place) > 0) return "what was not finished is still there";
    return damage_in(place, newest);
  }

  // At every moment, until something is wrong.
  std::string crash_everywhere(const DiskFaults& faults = {}) {
    std::string problem;
    ShadowDisk disk(pool, {}, faults);
    std::uint64_t newest = 0;
    auto crash = [&](std::size_t step) {
      const CrashPoint point(disk, pool);
      point.each_state(few, step, [&](const StateChoice& choice) {
        if (!problem.empty() || !seen.insert(mix(point.hash(choice), newest)).second) return;
        problem = problem_of(point.image(choice), newest);
        if (problem.empty()) return;
        problem += "\nbefore step " + std::to_string(step) + ": " + point.describe(choice);
      });
    };
    for (std::size_t step = 0; step < recording.steps.size(); ++step) {
      if (const auto* mark = std::get_if<Mark>(&recording.steps[step])) {
        newest = mark->position;
        continue;
      }
      crash(step);
      disk.apply(std::get<RecordedCall>(recording.steps[step]), step);
    }
    crash(recording.steps.size());
    return problem;
  }

  TempFolder folder;
  TestLog log{folder / "log"};
  SectorPool pool;
  Recording recording;
  std::set<std::uint64_t> seen;
};

TEST_F(ArchivePowerLoss, LeavesWholeSnapshotsOrNone) {
  record();
  EXPECT_EQ(crash_everywhere(), "");
  std::cout << seen.size() << " states after " << recording.calls() << " calls\n";
  EXPECT_GT(seen.size(), 200U);
}

TEST_F(ArchivePowerLoss, IsNoticedOnADiskThatDoesNotSync) {
  record();
  EXPECT_NE(crash_everywhere({.data_sync_ignored = true}), "");
  seen.clear();
  EXPECT_NE(crash_everywhere({.folder_sync_ignored = true}), "");
}

}  // namespace
}  // namespace almanac::test
