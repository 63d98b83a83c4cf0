// Archiving and restoring that are killed before and behind each of their calls to the disk, and
// in which each of them fails: what was archived is there, and the next one ends the work. A log
// that was being restored is there whole, or not at all.
#include <almanac/tests/disk/archived_story.h>
#include <almanac/tests/disk/interruption.h>
#include <almanac/tests/disk/state_folder.h>
#include <almanac/tests/support/file_bytes.h>

#include <gtest/gtest.h>

#include <sys/mman.h>

#include <atomic>
#include <filesystem>
#include <iostream>
#include <map>
#include <new>
#include <optional>
#include <string>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

// A position that outlives the process which has set it.
class SharedPosition {
 public:
  SharedPosition() {
    void* memory = ::mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ALMANAC_CHECK(memory != MAP_FAILED);
    value_ = new (memory) std::atomic<std::uint64_t>(0);
  }
  ~SharedPosition() { ::munmap(value_, sizeof(*value_)); }
  SharedPosition(const SharedPosition&) = delete;
  SharedPosition& operator=(const SharedPosition&) = delete;

  void set(Position position) { value_->store(position.value); }
  [[nodiscard]] Position get() const { return Position(value_->load()); }

 private:
  std::atomic<std::uint64_t>* value_;
};

std::map<fs::path, std::string> files_in(const fs::path& folder) {
  std::map<fs::path, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.emplace(entry.path(), read_file(entry.path()));
  }
  return files;
}

// An archive of two snapshots and a tail of so many segments, behind which the log goes on. Without
// its front, so that restoring it takes a state as well.
class Interrupted {
 public:
  explicit Interrupted(int segments) {
    story.work(10);
    story.trim();
    for (int i = 0; i < 2; ++i) {
      story.work(20);
      ALMANAC_CHECK(story.snapshot(made_store()));
    }
    for (int i = 0; i < segments; ++i) {
      story.work(2);
      ALMANAC_CHECK(story.ship(made_store()));
    }
    archived = story.end();
    story.work(3);
  }

  void make_anew() {
    for (const auto& entry : fs::directory_iterator(place.path())) fs::remove_all(entry);
    fs::copy(made_store(), store(), fs::copy_options::recursive);
    promised.set(archived);
  }
  // Nothing that was archived is lost, and archiving goes on.
  void expect_usable() const {
    ASSERT_EQ(story.problem_of(store(), promised.get()), "");
    ASSERT_EQ(story.problem_of_going_on(store(), target()), "");
  }
  // A restored log is whole or not there, and the archive is what it was; restoring again works.
  void expect_restorable() const {
    ASSERT_EQ(files_in(store()), archived_files);
    if (fs::exists(target())) {
      ASSERT_EQ(story.problem_of_restored(target(), moment()), "");
      return;
    }
    ASSERT_FALSE(promised.get() == moment()) << "what was restored is gone";
    auto restored = story.restore_to(target(), moment(), store());
    ASSERT_TRUE(restored) << describe(restored.error());
    ASSERT_EQ(story.problem_of_restored(target(), moment()), "");
    ASSERT_FALSE(fs::exists(unfinished_target()));
  }
  // One of both logs has the name, the earlier one is somewhere, and restoring again works.
  void expect_one_in_place() const {
    ASSERT_EQ(files_in(store()), archived_files);
    ASSERT_TRUE(has_log(place.path(), earlier)) << "the log to be replaced is gone";
    if (timeline_in(target()) == earlier) {
      ASSERT_EQ(story.problem_of_restored(target(), earlier_moment()), "");
      ASSERT_FALSE(promised.get() == moment()) << "what was restored is gone";
      auto restored = story.restore_to(target(), moment(), store());
      ASSERT_TRUE(restored) << describe(restored.error());
      ASSERT_TRUE(has_log(place.path(), earlier)) << "the log that was replaced is gone";
    }
    ASSERT_EQ(story.problem_of_restored(target(), moment()), "");
  }

  Interruption of_create() {
    return {.folder = store(),
            .prepare = [this] { make_anew(); },
            .run =
                [this] {
                  const auto made = story.snapshot(store());
                  if (made) promised.set(made->manifest.tail.last);
                  return made.has_value();
                },
            .check = [this] { expect_usable(); }};
  }
  Interruption of_shipping() {
    return {
        .folder = store(),
        .prepare = [this] { make_anew(); },
        .run =
            [this] {
              return story.ship(store(), [this](Position end) { promised.set(end); }).has_value();
            },
        .check = [this] { expect_usable(); }};
  }
  Interruption of_restore() {
    make_anew();
    archived_files = files_in(store());
    return {.folder = place.path(),
            .prepare =
                [this] {
                  make_anew();
                  promised.set(Position());
                },
            .run = [this] { return restore_and_promise(); },
            .check = [this] { expect_restorable(); }};
  }
  Interruption of_replacing() {
    Interruption interruption = of_restore();
    const auto made_target = made.path() / "restored";
    ALMANAC_CHECK(story.restore_to(made_target, earlier_moment(), made_store()));
    earlier = timeline_in(made_target);
    interruption.prepare = [this, made_target, prepare = interruption.prepare] {
      prepare();
      fs::copy(made_target, target(), fs::copy_options::recursive);
    };
    interruption.check = [this] { expect_one_in_place(); };
    return interruption;
  }

 private:
  [[nodiscard]] fs::path made_store() const { return made.path() / "backup"; }
  [[nodiscard]] fs::path store() const { return place.path() / "backup"; }
  [[nodiscard]] fs::path target() const { return place.path() / "restored"; }
  [[nodiscard]] fs::path unfinished_target() const { return place.path() / "restored.importing"; }
  [[nodiscard]] bool restore_and_promise() {
    const auto restored = story.restore_to(target(), moment(), store());
    if (restored) promised.set(moment());
    return restored.has_value();
  }
  [[nodiscard]] Position earlier_moment() const { return Position(archived.value - 8); }
  // Behind which a task has ended that had begun by then.
  [[nodiscard]] Position moment() const { return Position(archived.value - 1); }

  MemoryFolder made;
  MemoryFolder place;
  ArchivedStory story{made.path()};
  Position archived;
  SharedPosition promised;  // what must be there, or was restored
  std::map<fs::path, std::string> archived_files;
  std::optional<Timeline> earlier;  // of the log to be replaced
};

// Archives whose tails are ever longer, from one that is merged on, until there were enough.
using Make = Interruption (Interrupted::*)();
using Interrupt = std::uint64_t (*)(const Interruption&);
void interrupt(Make make, Interrupt all, std::uint64_t enough) {
  std::uint64_t done = 0;
  for (int segments = 7; segments < 15 && done < enough; ++segments) {
    Interrupted interrupted(segments);
    done += all((interrupted.*make)());
    if (::testing::Test::HasFailure()) return;
  }
  std::cout << done << " interruptions\n";
  EXPECT_GE(done, enough) << "too little was done to count";
}

constexpr std::uint64_t kills_min = 500;
constexpr std::uint64_t failing_calls_min = 400;

TEST(ArchiveInterrupted, LosesNothingWhereverACreateIsKilled) {
  interrupt(&Interrupted::of_create, kill_at_every_call, kills_min);
}
TEST(ArchiveInterrupted, LosesNothingWhateverFailsInACreate) {
  interrupt(&Interrupted::of_create, fail_every_call, failing_calls_min);
}
TEST(ArchiveInterrupted, LosesNothingWhereverAShippingIsKilled) {
  interrupt(&Interrupted::of_shipping, kill_at_every_call, kills_min);
}
TEST(ArchiveInterrupted, LosesNothingWhateverFailsInAShipping) {
  interrupt(&Interrupted::of_shipping, fail_every_call, failing_calls_min);
}
TEST(ArchiveInterrupted, RestoresAllOrNothingWhereverItIsKilled) {
  interrupt(&Interrupted::of_restore, kill_at_every_call, kills_min);
}
TEST(ArchiveInterrupted, RestoresAllOrNothingWhateverFails) {
  interrupt(&Interrupted::of_restore, fail_every_call, failing_calls_min);
}
TEST(ArchiveInterrupted, KeepsALogInPlaceWhereverReplacingItIsKilled) {
  interrupt(&Interrupted::of_replacing, kill_at_every_call, kills_min);
}
TEST(ArchiveInterrupted, KeepsALogInPlaceWhateverFailsInReplacingIt) {
  interrupt(&Interrupted::of_replacing, fail_every_call, failing_calls_min);
}

}  // namespace
}  // namespace almanac::test
