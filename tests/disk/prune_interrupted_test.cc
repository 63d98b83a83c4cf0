// A prune that is killed before and after each of its calls to the disk, and one in which each of
// them fails: every snapshot that has a manifest is whole, and the next prune ends the work.
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/prune.h>
#include <almanac/tests/disk/folder_watcher.h>
#include <almanac/tests/disk/interruption.h>
#include <almanac/tests/disk/state_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr Time begin(Duration(1'700'000'000'000'000));
constexpr int snapshots = 20;
constexpr int kept = 4;

// Nothing in the archive's manifests is certain while a file goes.
class OrderKeeper final : public FolderWatcher {
 public:
  using FolderWatcher::FolderWatcher;

  [[nodiscard]] int files() const { return files_; }
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  long on_seen(const Seen& seen, const RealCall& real) override {
    const bool is_manifest = seen.path.starts_with("manifests");
    if (seen.call.kind == CallKind::sync && is_manifest) manifests_unsynced_ = false;
    if (seen.call.kind == CallKind::unlink) {
      if (is_manifest) manifests_unsynced_ = true;
      if (!is_manifest) ++files_;
      broken_ = broken_ || (!is_manifest && manifests_unsynced_);
    }
    return real({});
  }

  bool manifests_unsynced_ = false;
  bool broken_ = false;
  int files_ = 0;
};

Result<PruneReport> prune_in(const fs::path& folder) {
  auto repository = Repository::open(folder, Access::write);
  if (!repository) return std::unexpected(repository.error());
  return prune(*repository, {.policy = {.last = kept}, .now = begin});
}

class PruneInterrupted : public ::testing::Test {
 protected:
  PruneInterrupted() {
    TestLog log(made.path() / "log");
    for (int i = 0; i < snapshots; ++i) {
      EXPECT_TRUE(log.append(numbered_events(1 + 3 * i, 3)));
      auto repository = Repository::open(made.path() / "backup", Access::write);
      EXPECT_TRUE(
          create_snapshot(*log, made.path() / "log", *repository, {.made_at = begin + i * 1h}));
    }
  }
  void make_anew() const {
    fs::remove_all(store());
    fs::copy(made.path() / "backup", store(), fs::copy_options::recursive);
  }
  [[nodiscard]] fs::path store() const { return place.path() / "backup"; }

  [[nodiscard]] Interruption interruption() const {
    return {.folder = store(),
            .prepare = [this] { make_anew(); },
            .run = [this] { return prune_in(store()).has_value(); },
            .check = [this] { expect_usable(); }};
  }

  // What was interrupted has left the newest ones whole, and goes on.
  void expect_usable() const {
    const auto repository = Repository::open(store(), Access::read);
    ASSERT_TRUE(repository) << describe(repository.error());
    ASSERT_GE(repository->numbers().size(), static_cast<std::size_t>(kept));
    expect_whole(*repository);
    auto pruned = prune_in(store());
    ASSERT_TRUE(pruned) << describe(pruned.error());
    ASSERT_EQ(repository->numbers(), (std::vector<std::uint64_t>{20, 19, 18, 17}));
    expect_whole(*repository);
    ASSERT_TRUE(repository->unreferenced()->empty());
  }
  static void expect_whole(const Repository& repository) {
    auto verified = verify_archive(repository, {});
    ASSERT_TRUE(verified) << describe(verified.error());
    for (const CheckedSnapshot& each : verified->snapshots) {
      for (const Error& error : each.damage) ADD_FAILURE() << describe(error);
    }
  }

  MemoryFolder made;
  MemoryFolder place;
};

TEST_F(PruneInterrupted, LeavesARepositoryWhereverItIsKilled) {
  const std::uint64_t kills = kill_at_every_call(interruption());
  std::cout << kills << " kills\n";
  EXPECT_GE(kills, 500U) << "too little was done to count";
}

TEST_F(PruneInterrupted, LeavesARepositoryWhateverFails) {
  const std::uint64_t runs = fail_every_call(interruption());
  std::cout << runs << " runs with a failing call\n";
  EXPECT_GE(runs, 100U) << "too little was done to count";
}

// What a power loss may take back is the removal of a manifest, never that of its files alone.
TEST_F(PruneInterrupted, RemovesFilesOnceTheirManifestsAreGoneForGood) {
  make_anew();
  OrderKeeper keeper(store());
  {
    Watching watching(keeper);
    ASSERT_TRUE(prune_in(store()));
  }
  EXPECT_GE(keeper.files(), snapshots - kept);
  EXPECT_FALSE(keeper.broken());
}

}  // namespace
}  // namespace almanac::test
