// The power fails at every moment of a prune: no snapshot that has a manifest lacks a file, and the
// next prune ends the work.
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_verify.h>
#include <almanac/snapshots/prune.h>
#include <almanac/tests/disk/crash_check.h>
#include <almanac/tests/disk/state_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr Time begin(Duration(1'700'000'000'000'000));
constexpr int snapshots = 12;
constexpr int kept = 3;

Result<PruneReport> prune_in(const fs::path& folder) {
  auto repository = Repository::open(folder, Access::write);
  if (!repository) return std::unexpected(repository.error());
  return prune(*repository, {.policy = {.last = kept}, .now = begin});
}

// What is damaged, or "".
std::string problem_of(const Repository& repository) {
  auto verified = verify_archive(repository, {});
  if (!verified) return describe(verified.error());
  for (const CheckedSnapshot& each : verified->snapshots) {
    if (!each.whole()) return describe(each.damage.front());
  }
  return "";
}

class PrunePowerLoss : public ::testing::Test {
 protected:
  PrunePowerLoss() {
    fs::create_directory(disk());
    TestLog log(made.path() / "log");
    for (int i = 0; i < snapshots; ++i) {
      EXPECT_TRUE(log.append(numbered_events(1 + 3 * i, 3)));
      auto repository = Repository::open(store(), Access::write);
      EXPECT_TRUE(
          create_snapshot(*log, made.path() / "log", *repository, {.made_at = begin + i * 1h}));
    }
    check.before = read_image(disk(), pool);
    Recorder recorder(disk());
    {
      const Watching watching(recorder);
      EXPECT_TRUE(prune_in(store()));
      recorder.mark({.kind = Mark::Kind::acknowledged, .position = 1});
    }
    check.recording = recorder.take();
    check.problem_of = [](const fs::path& found, std::uint64_t promised) {
      return problem_of_pruned(found / "backup", promised > 0);
    };
  }

  static std::string problem_of_pruned(const fs::path& folder, bool is_done) {
    const auto repository = Repository::open(folder, Access::read);
    if (!repository) return describe(repository.error());
    const auto numbers = repository->numbers();
    if (numbers.size() < kept || numbers.front() != snapshots) return "a kept snapshot is gone";
    if (is_done && numbers.size() > kept) return "a pruned snapshot is back";
    if (auto problem = problem_of(*repository); !problem.empty()) return problem;
    if (auto pruned = prune_in(folder); !pruned) return describe(pruned.error());
    if (repository->numbers().size() != kept) return "the next prune does not end the work";
    if (!repository->unreferenced()->empty()) return "files that nothing names are left";
    return problem_of(*repository);
  }

  [[nodiscard]] fs::path disk() const { return made.path() / "disk"; }
  [[nodiscard]] fs::path store() const { return disk() / "backup"; }

  MemoryFolder made;
  SectorPool pool;
  CrashCheck check;
};

TEST_F(PrunePowerLoss, LeavesEverySnapshotThatIsNamedWhole) {
  const CrashReport report = crash_everywhere(check, pool);
  EXPECT_EQ(report.problem, "");
  std::cout << report.states << " states after " << check.recording.calls() << " calls\n";
  EXPECT_GT(report.states, 50U) << "too little was done to count";
}

TEST_F(PrunePowerLoss, IsNoticedOnADiskThatDoesNotSyncFolders) {
  EXPECT_NE(crash_everywhere(check, pool, {.folder_sync_ignored = true}).problem, "");
}

}  // namespace
}  // namespace almanac::test
