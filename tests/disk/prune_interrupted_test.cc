// A prune that is killed before and after each of its calls to the disk, and one in which each of
// them fails: every snapshot that has a manifest is whole, and the next prune ends the work.
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/prune.h>
#include <almanac/tests/disk/injector.h>
#include <almanac/tests/disk/state_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr Time begin(Duration(1'700'000'000'000'000));
constexpr int snapshots = 20;
constexpr int kept = 4;
constexpr std::uint64_t calls_max = 2'000;

// Calls below a folder, in order; the process dies before the one it is told, or behind it.
class Killer final : public FolderWatcher {
 public:
  Killer(const fs::path& folder, std::uint64_t at, bool done_first)
      : FolderWatcher(folder), left_(at), done_first_(done_first) {}

 private:
  long on_seen(const Seen&, const RealCall& real) override {
    const bool last = --left_ == 0;
    if (last && !done_first_) ::raise(SIGKILL);
    const long result = real({});
    if (last) ::raise(SIGKILL);
    return result;
  }

  std::uint64_t left_;
  bool done_first_;
};

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

  // In a process of its own, which dies or ends with the answer of `work`.
  static int run_apart(const std::function<bool()>& work) {
    const pid_t id = ::fork();
    if (id == 0) ::_exit(work() ? 0 : 1);
    int status = 0;
    ALMANAC_CHECK(id > 0 && ::waitpid(id, &status, 0) == id);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
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
  std::uint64_t kills = 0;
  for (bool done_first : {false, true}) {
    for (std::uint64_t at = 1;; ++at) {
      ASSERT_LT(at, calls_max);
      make_anew();
      const int end = run_apart([&] {
        Killer killer(store(), at, done_first);
        Watching watching(killer);
        return prune_in(store()).has_value();
      });
      if (end == 0) break;
      ASSERT_EQ(end, -SIGKILL);
      ++kills;
      ASSERT_NO_FATAL_FAILURE(expect_usable()) << "killed at call " << at;
      if (HasFailure()) FAIL() << "killed at call " << at;
    }
  }
  std::cout << kills << " kills\n";
  EXPECT_GE(kills, 400U) << "too little was done to count";
}

TEST_F(PruneInterrupted, LeavesARepositoryWhateverFails) {
  std::uint64_t runs = 0;
  for (const InjectedFault& fault : injected_faults()) {
    for (bool sticky : {false, true}) {
      bool fired = true;
      for (std::uint64_t at = 1; fired; ++at, ++runs) {
        ASSERT_LT(at, calls_max);
        make_anew();
        {
          Injector injector(store(), {fault, at, sticky});
          Watching watching(injector);
          (void)prune_in(store());
          fired = injector.fired();
        }
        ASSERT_NO_FATAL_FAILURE(expect_usable()) << fault.name << " at call " << at;
        if (HasFailure()) FAIL() << fault.name << " at call " << at;
      }
    }
  }
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
