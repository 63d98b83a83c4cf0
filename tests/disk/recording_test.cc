// Whether everything that reaches the disk is recorded, LMDB's calls among it; and whether a folder
// becomes what it is told to be.
#include <almanac/log/file.h>
#include <almanac/tests/disk/recording.h>
#include <almanac/tests/disk/state_folder.h>
#include <almanac/tests/disk/workload.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <set>

namespace almanac::test {
namespace {

Scenario first_append() { return {"first append", Start::nothing, {&operations().front()}}; }

TEST(Recording, HoldsTheCallsOfLmdb) {
  SectorPool pool;
  auto recorded = record(first_append(), pool);
  std::set<std::string> seen;
  for (const Step& step : recorded.recording.steps) {
    const auto* call = std::get_if<RecordedCall>(&step);
    if (call != nullptr && call->path == "log/log/data.mdb") seen.insert(call->name);
  }
  for (const char* name : {"open", "fdatasync", "(O_DSYNC)"}) {
    EXPECT_TRUE(seen.contains(name)) << name;
  }
  EXPECT_TRUE(recorded.recording.mapped_for_writing.contains("log/log/lock.mdb"));
}

TEST(Recording, TellsThreadsApart) {
  SectorPool pool;
  std::set<std::size_t> threads;
  for (const Step& step : record(first_append(), pool).recording.steps) {
    if (const auto* call = std::get_if<RecordedCall>(&step)) threads.insert(call->thread);
  }
  EXPECT_GE(threads.size(), 2U) << "the writer's and ours";
}

TEST(Recording, IsIncompleteWhenACallWasMissed) {
  for (bool missed : {false, true}) {
    TempFolder folder;
    SectorPool pool;
    Recorder recorder(folder.path());
    {
      Watching watching(recorder);
      FileDescriptor file(::open((folder / "a").c_str(), O_RDWR | O_CREAT, 0600));
      ASSERT_EQ(::write(file.get(), "seen", 4), 4);
      if (missed) ::syscall(SYS_write, file.get(), "missed", 6);
    }
    EXPECT_EQ(is_complete({{}, recorder.take()}, folder.path(), pool), !missed);
  }
}

TEST(Recording, LeavesOutWhatHappensElsewhere) {
  TempFolder folder;
  TempFolder other;
  Recorder recorder(folder.path());
  {
    Watching watching(recorder);
    FileDescriptor file(::open((other / "a").c_str(), O_RDWR | O_CREAT, 0600));
    ASSERT_EQ(::write(file.get(), "x", 1), 1);
  }
  EXPECT_TRUE(recorder.take().steps.empty());
}

// A few files of a few sectors in up to one folder.
DiskImage any_image(std::mt19937_64& random, SectorPool& pool) {
  DiskImage image;
  if (random() % 2 == 0) image.push_back({"f", true});
  for (std::string name : {"a", "b", "f/c"}) {
    if (random() % 4 == 0 || (name == "f/c" && image.empty())) continue;
    if (name == "f/c" && image.front().path != "f") continue;
    ImageEntry entry{name, false};
    entry.file.size = random() % (4 * sector_bytes);
    for (std::size_t at = 0; at < 4; ++at) {
      Sector sector{};
      sector.fill(static_cast<char>(random() % 3));
      entry.file.set(at, pool.add(sector));
    }
    entry.file.trim(pool);
    image.push_back(std::move(entry));
  }
  std::ranges::sort(image, {}, &ImageEntry::path);
  return image;
}

void do_anything(const std::filesystem::path& folder, std::mt19937_64& random) {
  std::error_code ignored;
  FileDescriptor file(::open((folder / "a").c_str(), O_RDWR | O_CREAT, 0600));
  const std::string bytes(random() % 2000, 'w');
  const auto place = static_cast<off_t>(random() % 3000);
  EXPECT_EQ(::pwrite(file.get(), bytes.data(), bytes.size(), place),
            static_cast<ssize_t>(bytes.size()));
  switch (random() % 6) {
    case 0: std::filesystem::remove_all(folder / "f", ignored); break;
    case 1: std::filesystem::rename(folder / "a", folder / "z", ignored); break;
    case 2: std::filesystem::create_directory(folder / "g", ignored); break;
    case 3: EXPECT_EQ(::ftruncate(file.get(), static_cast<off_t>(random() % 900)), 0); break;
    case 4: std::filesystem::remove(folder / "b", ignored); break;
    default: break;
  }
}

TEST(StateFolder, BecomesAnyImageWhateverWasDoneToIt) {
  MemoryFolder folder;
  SectorPool pool;
  StateFolder states(folder.path(), pool);
  std::mt19937_64 random(1);
  for (int round = 0; round < 2'000; ++round) {
    auto image = any_image(random, pool);
    states.make(image);
    ASSERT_EQ(read_image(folder.path(), pool), image) << "round " << round;
    Recorder recorder(folder.path(), Recorder::Keep::places);
    {
      Watching watching(recorder);
      do_anything(folder.path(), random);
    }
    states.touched(recorder.take());
  }
}

}  // namespace
}  // namespace almanac::test
