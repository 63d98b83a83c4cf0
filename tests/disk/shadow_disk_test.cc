// The model of the disk: real calls are recorded, and what may be left of them is compared with
// what a disk may do.
#include <almanac/log/file.h>
#include <almanac/tests/disk/crash_point.h>
#include <almanac/tests/disk/recording.h>
#include <almanac/tests/disk/shadow_disk.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace almanac::test {
namespace {

// A sector full of one letter; files of these are told by a letter per sector, "?" for a mixed one.
std::string sector(char letter) { return std::string(sector_bytes, letter); }

std::string letters(const FileImage& file, SectorPool& pool) {
  std::string text;
  for (std::size_t at = 0; at * sector_bytes < file.size; ++at) {
    auto size = std::min<std::size_t>(sector_bytes, file.size - at * sector_bytes);
    std::string_view content(pool.at(file.at(at)).data(), size);
    const bool mixed = content.find_first_not_of(content.front()) != std::string_view::npos;
    text += mixed ? '?' : content.front() == '\0' ? '0' : content.front();
  }
  auto inside = file.size % sector_bytes;
  return inside == 0 ? text : text + "+" + std::to_string(inside);
}

// "a=xy b=" for a folder with two files, one of two sectors and an empty one; "c/" is a folder.
std::string text_of(const DiskImage& image, SectorPool& pool) {
  std::string text;
  for (const ImageEntry& entry : image) {
    if (!text.empty()) text += ' ';
    text += entry.path + (entry.is_folder ? "/" : "=" + letters(entry.file, pool));
  }
  return text;
}

// A folder in which things are done that are recorded.
class Disk {
 public:
  Disk() : recorder_(folder_.path()) {}

  void run(const std::function<void(const std::filesystem::path&)>& things) {
    Watching watching(recorder_);
    things(folder_.path());
  }
  // What is done with the recorder not looking is on the disk for certain.
  void prepare(const std::function<void(const std::filesystem::path&)>& things) {
    things(folder_.path());
    before_ = read_image(folder_.path(), pool_);
  }
  // The sync of this number fails.
  void fail_sync(std::uint64_t number) { recorder_.fail_sync(number); }
  // What may be left when the power fails at the end of it all.
  std::set<std::string> left(const DiskFaults& faults = {}) {
    ShadowDisk shadow(pool_, before_, faults);
    auto recording = recorder_.take();
    for (std::size_t i = 0; i < recording.steps.size(); ++i) {
      shadow.apply(std::get<RecordedCall>(recording.steps[i]), i);
    }
    EXPECT_EQ(text_of(shadow.live_image(), pool_),
              text_of(read_image(folder_.path(), pool_), pool_));
    CrashPoint point(shadow, pool_);
    std::set<std::string> texts;
    std::set<std::uint64_t> hashes;
    point.each_state({}, 1, [&](const StateChoice& choice) {
      texts.insert(text_of(point.image(choice), pool_));
      hashes.insert(point.hash(choice));
    });
    EXPECT_LE(texts.size(), hashes.size()) << "no two states are taken for one";
    return texts;
  }

 private:
  TempFolder folder_;
  Recorder recorder_;
  SectorPool pool_;
  DiskImage before_;
};

using States = std::set<std::string>;

void write_at(int file, std::size_t at, const std::string& bytes) {
  ASSERT_EQ(::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at * sector_bytes)),
            static_cast<ssize_t>(bytes.size()));
}

FileDescriptor open_file(const std::filesystem::path& path, int flags = 0) {
  return FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | flags, 0600));
}

void prepare_file(Disk& disk, const std::string& content) {
  disk.prepare([&](const auto& folder) {
    auto file = open_file(folder / "a");
    write_at(file.get(), 0, content);
  });
}

// A kernel says once that it could not write and takes the pages for written.
TEST(ShadowDisk, MayLoseForEverWhatAFailedSyncGaveUp) {
  Disk disk;
  prepare_file(disk, sector('x') + sector('y'));
  disk.fail_sync(1);
  disk.run([](const auto& folder) {
    auto file = open_file(folder / "a");
    write_at(file.get(), 0, sector('1'));
    EXPECT_EQ(::fdatasync(file.get()), -1);
    EXPECT_EQ(errno, EIO);
    write_at(file.get(), 1, sector('2'));
    EXPECT_EQ(::fdatasync(file.get()), 0);
  });
  EXPECT_EQ(disk.left(), (States{"a=x2", "a=12"}));
}

TEST(ShadowDisk, KeepsWhatWasWrittenAgainBehindAFailedSync) {
  Disk disk;
  prepare_file(disk, sector('x') + sector('y'));
  disk.fail_sync(1);
  disk.run([](const auto& folder) {
    auto file = open_file(folder / "a");
    write_at(file.get(), 0, sector('1'));
    EXPECT_EQ(::fdatasync(file.get()), -1);
    write_at(file.get(), 0, sector('1'));  // just as it is
    EXPECT_EQ(::fdatasync(file.get()), 0);
  });
  EXPECT_EQ(disk.left(), (States{"a=1y"}));
}

TEST(ShadowDisk, MayLoseForEverWhatAFailedSynchronousWriteGaveUp) {
  Disk disk;
  prepare_file(disk, sector('x'));
  disk.fail_sync(1);
  disk.run([](const auto& folder) {
    auto file = open_file(folder / "a", O_DSYNC);
    const auto bytes = sector('1');
    EXPECT_EQ(::pwrite(file.get(), bytes.data(), bytes.size(), 0), -1);
    EXPECT_EQ(::fdatasync(file.get()), 0);
  });
  EXPECT_EQ(disk.left(), (States{"a=x", "a=1"}));
}

TEST(ShadowDisk, MayLoseEachSectorThatWasNotSynced) {
  Disk disk;
  prepare_file(disk, sector('x') + sector('y'));
  disk.run([](const auto& folder) {
    auto file = open_file(folder / "a");
    write_at(file.get(), 0, sector('p') + sector('q'));
  });
  EXPECT_EQ(disk.left(), (States{"a=xy", "a=py", "a=xq", "a=pq"}));
}

TEST(ShadowDisk, KeepsWhatWasSynced) {
  Disk disk;
  prepare_file(disk, sector('x') + sector('y'));
  disk.run([](const auto& folder) {
    auto file = open_file(folder / "a");
    write_at(file.get(), 0, sector('p') + sector('q'));
    ASSERT_EQ(::fdatasync(file.get()), 0);
    write_at(file.get(), 1, sector('r'));
  });
  EXPECT_EQ(disk.left(), (States{"a=pq", "a=pr"}));
}

TEST(ShadowDisk, SyncsNoMoreThanTheBytesOfASynchronousWrite) {
  Disk disk;
  prepare_file(disk, sector('x') + sector('y'));
  disk.run([](const auto& folder) {
    auto file = open_file(folder / "a");
    auto synchronous = open_file(folder / "a", O_DSYNC);
    write_at(file.get(), 0, sector('p'));
    write_at(synchronous.get(), 1, sector('q'));
  });
  EXPECT_EQ(disk.left(), (States{"a=xq", "a=pq"}));
}

// Two threads: one syncs, and while it does the other one writes.
TEST(ShadowDisk, SyncsNothingThatWasWrittenAfterTheSyncBegan) {
  SectorPool pool;
  ShadowDisk shadow(pool, {{"a", false, {{}, sector_bytes}}});
  const std::string bytes = sector('p');
  shadow.apply({.kind = CallKind::open, .handle = 1, .path = "a"}, 0);
  shadow.apply({.kind = CallKind::write, .handle = 1, .length = sector_bytes, .bytes = bytes}, 1);
  shadow.apply({.kind = CallKind::sync, .handle = 1, .began = 1}, 2);
  EXPECT_EQ(shadow.pending().size(), 1U);
  shadow.apply({.kind = CallKind::sync, .handle = 1, .began = 3}, 3);
  EXPECT_TRUE(shadow.pending().empty());
}

TEST(ShadowDisk, HoldsOneOfAllThatWasWrittenToASector) {
  Disk disk;
  prepare_file(disk, sector('x'));
  disk.run([](const auto& folder) {
    auto file = open_file(folder / "a");
    write_at(file.get(), 0, sector('p'));
    write_at(file.get(), 0, sector('q'));
  });
  EXPECT_EQ(disk.left(), (States{"a=x", "a=p", "a=q"}));
}

TEST(ShadowDisk, MayEndAGrownFileAnywhereAndFillItWithZeros) {
  Disk disk;
  prepare_file(disk, sector('x'));
  disk.run([](const auto& folder) {
    auto file = open_file(folder / "a");
    write_at(file.get(), 1, sector('p'));
  });
  auto left = disk.left();
  for (const char* state : {"a=x", "a=xp", "a=x0", "a=xp+1", "a=xp+511"}) {
    EXPECT_TRUE(left.contains(state)) << state;
  }
}

TEST(ShadowDisk, MayLoseANameUntilItsFolderIsSynced) {
  Disk disk;
  disk.run([](const auto& folder) {
    auto file = open_file(folder / "a");
    ASSERT_EQ(::fsync(file.get()), 0);
  });
  EXPECT_EQ(disk.left(), (States{"", "a="}));
  disk.prepare([](const auto& folder) { std::filesystem::remove(folder / "a"); });
  disk.run([](const auto& folder) {
    auto file = open_file(folder / "a");
    ASSERT_TRUE(sync_folder(folder));
  });
  EXPECT_EQ(disk.left(), (States{"a="}));
}

TEST(ShadowDisk, RenamesWholeOrNotAtAll) {
  Disk disk;
  prepare_file(disk, sector('x'));
  disk.run([](const auto& folder) { std::filesystem::rename(folder / "a", folder / "b"); });
  EXPECT_EQ(disk.left(), (States{"a=x", "b=x"}));
}

TEST(ShadowDisk, ExchangesBothNamesOrNone) {
  Disk disk;
  disk.prepare([](const auto& folder) {
    write_at(open_file(folder / "a").get(), 0, sector('x'));
    write_at(open_file(folder / "b").get(), 0, sector('y'));
  });
  disk.run([](const auto& folder) {
    const auto one = folder / "a";
    const auto other = folder / "b";
    ASSERT_EQ(::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE), 0);
  });
  EXPECT_EQ(disk.left(), (States{"a=x b=y", "a=y b=x"}));
}

TEST(ShadowDisk, MayLeaveAFileInTwoFoldersWhenItIsMoved) {
  Disk disk;
  disk.prepare([](const auto& folder) {
    open_file(folder / "a");
    std::filesystem::create_directory(folder / "f");
  });
  disk.run([](const auto& folder) {
    std::filesystem::rename(folder / "a", folder / "f" / "a");
    ASSERT_TRUE(sync_folder(folder / "f"));
  });
  EXPECT_EQ(disk.left(), (States{"a= f/ f/a=", "f/ f/a="}));
}

TEST(ShadowDisk, MayBringBackWhatWasRemoved) {
  Disk disk;
  prepare_file(disk, sector('x'));
  disk.run([](const auto& folder) { std::filesystem::remove_all(folder / "a"); });
  EXPECT_EQ(disk.left(), (States{"a=x", ""}));
}

TEST(ShadowDisk, ShowsWhatAFolderHoldsOnlyWhereTheFolderIs) {
  Disk disk;
  disk.run([](const auto& folder) {
    ASSERT_EQ(::mkdir((folder / "f").c_str(), 0700), 0);
    open_file(folder / "f" / "a");
  });
  EXPECT_EQ(disk.left(), (States{"", "f/", "f/ f/a="}));
}

TEST(ShadowDisk, MayKeepTheOldEndOfAFileThatWasCut) {
  Disk disk;
  prepare_file(disk, sector('x') + sector('y'));
  disk.run([](const auto& folder) {
    auto file = open_file(folder / "a");
    ASSERT_EQ(::ftruncate(file.get(), sector_bytes), 0);
  });
  EXPECT_EQ(disk.left(), (States{"a=xy", "a=x0", "a=x"}));
}

TEST(ShadowDisk, TearsASectorIntoWordsWhenThatIsItsFault) {
  Disk disk;
  prepare_file(disk, sector('x'));
  disk.run([](const auto& folder) {
    auto file = open_file(folder / "a");
    write_at(file.get(), 0, sector('p'));
  });
  EXPECT_EQ(disk.left({.tears_words = true}), (States{"a=x", "a=p", "a=?"}));
}

TEST(ShadowDisk, BreaksItsOtherPromisesWhenThatIsItsFault) {
  for (const DiskFaults& faults :
       {DiskFaults{.data_sync_ignored = true}, DiskFaults{.forgets_synced = true}, DiskFaults{}}) {
    Disk disk;
    prepare_file(disk, sector('x'));
    disk.run([](const auto& folder) {
      auto file = open_file(folder / "a");
      write_at(file.get(), 0, sector('p'));
      ASSERT_EQ(::fdatasync(file.get()), 0);
    });
    const bool broken = faults.data_sync_ignored || faults.forgets_synced;
    EXPECT_EQ(disk.left(faults), broken ? (States{"a=x", "a=p"}) : (States{"a=p"}));
  }
}

}  // namespace
}  // namespace almanac::test
