// A repository that was changed behind our back: what is wrong is found, and the file is named.
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_follower.h>
#include <almanac/snapshots/archive_verify.h>
#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/whole_file.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/repository_keys.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

enum class Protection { none, encrypted_and_signed };

// Three small snapshots of one log, and a tail behind them. The third one's state is a delta, or
// stands in full.
class DamagedArchive : public ::testing::TestWithParam<Protection> {
 protected:
  DamagedArchive() {
    if (GetParam() == Protection::encrypted_and_signed) {
      keys = {.encryption = encryption_key(), .signing = signing_key()};
    }
    for (std::uint64_t number : {1, 100, 200}) {
      EXPECT_TRUE(log.append(numbered_events(number, 5)));
      auto repository = opened(Access::write);
      EXPECT_TRUE(repository);
      auto made =
          create_snapshot(*log, folder / "log", *repository, {.made_at = Time(Duration(1))});
      EXPECT_TRUE(made) << describe(made.error());
    }
    const ArchiveFollower follower(
        {.log = *log,
         .folder = folder / "log",
         .open_repository = [this](Access access) { return opened(access); }},
        {.every = std::chrono::hours(1)});
    while (follower.status().snapshot == 0) std::this_thread::yield();
    EXPECT_TRUE(log.append(numbered_events(300, 5)));  // archived at its end
  }

  [[nodiscard]] fs::path store() const { return folder / "backup"; }
  [[nodiscard]] Result<Repository> opened(Access access) const {
    return Repository::open(store(), access, keys);
  }
  [[nodiscard]] Repository repository() const { return std::move(*opened(Access::read)); }
  [[nodiscard]] ArchiveVerification verified() const {
    auto result = verify_archive(repository(), {});
    EXPECT_TRUE(result);
    return std::move(*result);
  }
  [[nodiscard]] bool is_whole() const {
    const auto all = verified();
    return all.tails.size() == 1 && all.whole();
  }
  // What verify finds, "" where it is nothing; all of it must name the file.
  [[nodiscard]] std::string damage_named(const fs::path& file) const {
    std::string text;
    auto add = [&](const std::vector<Error>& damage) {
      for (const Error& error : damage) {
        text += error.message + "\n";
        EXPECT_NE(error.message.find(file.string()), std::string::npos) << error.message;
      }
    };
    const auto all = verified();
    for (const CheckedSnapshot& snapshot : all.snapshots) add(snapshot.damage);
    for (const CheckedTail& tail : all.tails) add(tail.damage);
    return text;
  }
  // All that snapshots are made of; not who writes, nor whether he is alive.
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(store())) {
      const auto name = entry.path().lexically_relative(store());
      if (entry.is_regular_file() && name != "lock" && name != "repository" &&
          name.parent_path() != "followed") {
        files.push_back(entry.path());
      }
    }
    return files;
  }

  TempFolder folder;
  TestLog log{folder / "log"};
  RepositoryKeys keys;
};

INSTANTIATE_TEST_SUITE_P(Plain, DamagedArchive, testing::Values(Protection::none));
INSTANTIATE_TEST_SUITE_P(Protected, DamagedArchive,
                         testing::Values(Protection::encrypted_and_signed));

// All of them take minutes; every fifth is in every byte, and each of the eight as often.
TEST_P(DamagedArchive, IsNoticedWhicheverBitIsFlipped) {
  const std::size_t step = std::getenv("ALMANAC_CAMPAIGN") != nullptr ? 1 : 5;
  for (const fs::path& file : files()) {
    const std::string whole = read_file(file);
    std::fstream bytes(file, std::ios::binary | std::ios::in | std::ios::out);
    auto put = [&](std::size_t at, int byte) {
      bytes.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(byte)).flush();
    };
    for (std::size_t i = 0; i < whole.size() * 8; i += step) {
      put(i / 8, whole[i / 8] ^ 1 << i % 8);
      ASSERT_NE(damage_named(file), "") << file << ", bit " << i;
      put(i / 8, whole[i / 8]);
    }
  }
  EXPECT_TRUE(is_whole());
}

TEST_P(DamagedArchive, IsNoticedWhereverAFileEnds) {
  for (const fs::path& file : files()) {
    const std::string whole = read_file(file);
    for (std::size_t size = 0; size < whole.size(); size += 7) {
      write_file(file, whole.substr(0, size));
      ASSERT_NE(damage_named(file), "") << file << " cut to " << size;
    }
    for (const std::string& more : {std::string(1, '\0'), std::string("\n"), whole}) {
      write_file(file, whole + more);
      ASSERT_NE(damage_named(file), "") << file << " made longer";
    }
    write_file(file, whole);
  }
}

TEST_P(DamagedArchive, IsNoticedWhenFilesAreExchanged) {
  const auto all = files();
  for (const fs::path& one : all) {
    const std::string whole = read_file(one);
    for (const fs::path& other : all) {
      if (one == other) continue;
      write_file(one, read_file(other));
      ASSERT_NE(damage_named(one), "") << one << " is " << other;
    }
    write_file(one, whole);
  }
}

TEST_P(DamagedArchive, IsNoticedWhenAFileIsMissingOrSomethingElse) {
  for (const fs::path& file : files()) {
    const auto kind = file.parent_path().filename();
    if (kind == "manifests" || kind == "tails") continue;
    const fs::path aside = folder / "aside";
    fs::rename(file, aside);
    EXPECT_NE(damage_named(file), "") << file;
    fs::create_symlink(aside, file);
    EXPECT_NE(damage_named(file), "") << file;
    fs::remove(file);
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    EXPECT_NE(damage_named(file), "") << file;
    fs::remove(file);
    fs::create_directory(file);
    EXPECT_NE(damage_named(file), "") << file;
    fs::remove(file);
    fs::rename(aside, file);
  }
  EXPECT_TRUE(is_whole());
}

TEST_P(DamagedArchive, KeepsItsOtherSnapshots) {
  const Manifest third = *repository().manifest(3);
  const auto& newest = third.segments.back();
  fs::remove(repository().path_of(name_of(newest.header, newest.file)));
  const auto listed = list_snapshots(repository());
  ASSERT_EQ(listed.size(), 3U);
  EXPECT_FALSE(listed[0].whole());
  EXPECT_TRUE(listed[1].whole());
  EXPECT_TRUE(listed[2].whole());
}

TEST_P(DamagedArchive, KnowsAManifestThatWasMadeAnew) {
  Manifest second = *repository().manifest(2);
  second.made_at = Time(Duration(2));
  auto archive = opened(Access::write);
  ASSERT_TRUE(archive->remove(second.number));
  ASSERT_TRUE(archive->add(second));
  EXPECT_NE(damage_named(store() / "manifests/3"), "");
}

TEST_P(DamagedArchive, GivesNoMemoryOnTheWordOfAFile) {
  // A file of holes, a terabyte long: it is refused by its size.
  const Manifest manifest = *repository().manifest(1);
  const auto& segment = manifest.segments[0];
  const fs::path file = repository().path_of(name_of(segment.header, segment.file));
  fs::resize_file(file, std::uintmax_t{1} << 40U);
  EXPECT_NE(damage_named(file), "");
  fs::resize_file(store() / "manifests/3", std::uintmax_t{1} << 40U);
  EXPECT_EQ(code_of(repository().manifest(3)), "corrupt");
}

// What a manifest says is looked at before anything is done with it.
TEST_P(DamagedArchive, RefusesManifestsThatCannotBe) {
  const Manifest good = *repository().manifest(3);
  auto outcome = [&](auto change) {
    Manifest manifest = good;
    change(manifest);
    return code_of(decode_manifest(encode(manifest)));
  };
  EXPECT_EQ(outcome([](Manifest&) {}), "ok");
  const std::array<void (*)(Manifest&), 10> changes = {
      [](Manifest& m) { m.number = 0; },
      [](Manifest& m) { m.tail.last = m.tail.last.next(); },
      [](Manifest& m) { m.tail.digest[0] ^= std::byte{1}; },
      [](Manifest& m) { m.segments.erase(m.segments.begin() + 1); },
      [](Manifest& m) { std::swap(m.segments[0], m.segments[1]); },
      [](Manifest& m) { m.segments[0].header.frames = 6; },
      [](Manifest& m) { m.segments[0].header.frame_bytes = limits::segment_bytes_max + 1; },
      [](Manifest& m) { m.segments[0].file.bytes = limits::segment_file_bytes_max + 1; },
      [](Manifest& m) { m.checkpoint.raw_bytes = limits::checkpoint_bytes_max + 1; },
      [](Manifest& m) { m.checkpoint.base = m.checkpoint.position; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) EXPECT_EQ(outcome(changes[i]), "corrupt") << i;
  const std::string text = encode(good);
  for (const char* instead : {"\"../../etc/passwd\"", "-1", "1.5", "null", "[]", "{}"}) {
    std::string changed = text;
    const auto at = changed.find("\"first\":") + 8;
    changed.replace(at, changed.find(',', at) - at, instead);
    EXPECT_EQ(code_of(decode_manifest(changed)), "corrupt") << instead;
  }
  std::string later = text;
  later.replace(later.find("manifest\":1") + 10, 1, "2");
  EXPECT_EQ(code_of(decode_manifest(later)), "newer_format");
  EXPECT_EQ(code_of(decode_manifest(std::string(1'000'000, '['))), "corrupt");
}

TEST_P(DamagedArchive, RefusesTailsThatCannotBe) {
  const ArchiveTail good = *repository().tail(log->timeline());
  auto outcome = [&](auto change) {
    ArchiveTail tail = good;
    change(tail);
    return code_of(decode_tail(encode(tail)));
  };
  EXPECT_EQ(outcome([](ArchiveTail&) {}), "ok");
  EXPECT_EQ(outcome([](ArchiveTail& t) { t.snapshot = 0; }), "corrupt");
  EXPECT_EQ(outcome([](ArchiveTail& t) { t.end.last = t.end.last.next(); }), "corrupt");
  EXPECT_EQ(outcome([](ArchiveTail& t) { t.end.digest[0] ^= std::byte{1}; }), "corrupt");
  EXPECT_EQ(outcome([](ArchiveTail& t) { t.segments.push_back(t.segments[0]); }), "corrupt");
  EXPECT_EQ(code_of(decode_tail(encode(*repository().manifest(3)))), "corrupt");
  EXPECT_EQ(code_of(decode_manifest(encode(good))), "corrupt");
  // Under the name of another log.
  ArchiveTail other = good;
  other.timeline[0] ^= std::byte{1};
  fs::copy(repository().path_of(good.timeline), repository().path_of(other.timeline));
  EXPECT_EQ(code_of(repository().tail(other.timeline)), "corrupt");
}

TEST_P(DamagedArchive, IsReadInPartWhenASampleIsAskedFor) {
  auto sample = verify_archive(repository(), {.percent = 0});
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->files, 3U);  // the newest segment, the newest state and the tail
  EXPECT_EQ(verify_archive(repository(), {})->files, 7U);
  EXPECT_EQ(verify_archive(repository(), {.number = 1})->files, 2U);
  EXPECT_EQ(code_of(verify_archive(repository(), {.number = 9})), "not_found");
}

TEST_P(DamagedArchive, IsNoPlaceForSomethingElse) {
  write_file(folder / "file", "");
  EXPECT_FALSE(Repository::open(folder / "file", Access::write));
  fs::create_directory(folder / "full");
  write_file(folder / "full/file", "");
  EXPECT_EQ(code_of(Repository::open(folder / "full", Access::write)), "refused");
  EXPECT_EQ(code_of(Repository::open(folder / "none", Access::read)), "not_found");
}

TEST_P(DamagedArchive, IsRefusedWhateverIsWrongWithItsHead) {
  const fs::path head = store() / "repository";
  const std::string whole = read_file(head);
  auto outcome = [&](const std::string& text) {
    write_file(head, text);
    auto result = opened(Access::read);
    if (!result) {
      EXPECT_NE(result.error().message.find(head.string()), std::string::npos);
    }
    return code_of(result);
  };
  for (std::size_t i = 0; i < whole.size() * 8; ++i) {
    std::string changed = whole;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ 1 << i % 8);
    EXPECT_NE(outcome(changed), "ok") << i;
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(outcome(whole.substr(0, size)), "corrupt") << size;
  }
  EXPECT_EQ(outcome("almanac repository, format 3\n"), "newer_format");
  EXPECT_EQ(outcome(whole + "\n"), "corrupt");
  EXPECT_EQ(outcome("another\n"), "corrupt");
  EXPECT_EQ(outcome(whole), "ok");
}

}  // namespace
}  // namespace almanac::test
