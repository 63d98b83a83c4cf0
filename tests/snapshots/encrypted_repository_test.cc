// Repositories of which nothing can be read without the key.
#include <almanac/log/hash.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/drill.h>
#include <almanac/snapshots/prune.h>
#include <almanac/snapshots/restore.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/golden_rows.h>
#include <almanac/tests/support/repository_keys.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

class EncryptedRepository : public ::testing::Test {
 protected:
  EncryptedRepository() { fill_random(payload); }

  // A number of small events, and one with the payload.
  SnapshotReport snapshot(const fs::path& store,
                          RepositoryKeys keys = {.encryption = encryption_key()}) {
    EXPECT_TRUE(log.append(numbered_events(++events, 5)));
    const Event event{.at = numbered_event(events + 5).at, .body = CustomEvent{"canary", payload}};
    EXPECT_TRUE(log.append({event}));
    events += 100;
    auto repository = Repository::open(store, Access::write, std::move(keys));
    EXPECT_TRUE(repository) << describe(repository.error());
    auto made = create_snapshot(*log, folder / "log", *repository, {.made_at = event.at});
    EXPECT_TRUE(made) << describe(made.error());
    return made ? *made : SnapshotReport{};
  }
  [[nodiscard]] Repository repository() const {
    return std::move(*Repository::open(store, Access::read, {.encryption = encryption_key()}));
  }
  [[nodiscard]] static std::map<fs::path, std::string> files_in(const fs::path& store) {
    std::map<fs::path, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(store)) {
      if (entry.is_regular_file()) files.emplace(entry.path(), read_file(entry.path()));
    }
    return files;
  }
  [[nodiscard]] static std::size_t count_with(const std::string& text, const fs::path& store) {
    return static_cast<std::size_t>(std::ranges::count_if(files_in(store), [&](const auto& file) {
      return file.second.find(text) != std::string::npos;
    }));
  }

  TempFolder folder;
  fs::path store = folder / "backup";
  TestLog log{folder / "log"};
  std::uint64_t events = 0;
  std::vector<std::byte> payload = std::vector<std::byte>(4096);  // that nobody can compress
};

TEST_F(EncryptedRepository, HoldsWhatAPlainOneHolds) {
  // So many that segments are merged.
  for (int i = 0; i < 12; ++i) EXPECT_TRUE(snapshot(store).refused.empty());
  auto verified = verify_archive(repository(), {});
  ASSERT_TRUE(verified);
  ASSERT_EQ(verified->snapshots.size(), 12U);
  for (const CheckedSnapshot& each : verified->snapshots) {
    for (const Error& error : each.damage) ADD_FAILURE() << describe(error);
  }
  EXPECT_TRUE(drill(repository(), {.folder = folder.path(), .seed = 1}));
  {
    auto writing = Repository::open(store, Access::write, {.encryption = encryption_key()});
    auto pruned = prune(*writing, {.policy = {.last = 1}, .now = Time{}});
    ASSERT_TRUE(pruned) << describe(pruned.error());
    EXPECT_EQ(pruned->snapshots.size(), 12U);
  }
  auto plan = plan_restore(repository(), {.moment = Position(30)});
  ASSERT_TRUE(plan) << describe(plan.error());
  auto restored = restore(repository(), *plan, folder / "restored", {.now = Time{}});
  ASSERT_TRUE(restored) << describe(restored.error());
  EXPECT_EQ(digest(restored->state), digest(*state_at(*log, folder / "log", Position(30))));
}

TEST_F(EncryptedRepository, ShowsNothingOfWhatItHolds) {
  const fs::path plain = folder / "plain";
  const Digest chain = snapshot(plain, {}).manifest.tail.digest;
  snapshot(store);
  const std::string piece(as_text(payload).substr(1000, 32));
  for (const std::string& text :
       {piece, std::string("almanac_manifest"), to_hex(chain), std::string("ALMSEGMT")}) {
    EXPECT_GE(count_with(text, plain), 1U) << "or it would be missed in the other as well";
    EXPECT_EQ(count_with(text, store), 0U);
  }
}

TEST_F(EncryptedRepository, IsOpenedWithItsKeyAlone) {
  snapshot(store);
  const auto before = files_in(store);
  for (const Access access : {Access::read, Access::write}) {
    for (const RepositoryKeys& keys : {RepositoryKeys{}, {.encryption = encryption_key(2)}}) {
      const auto refused = Repository::open(store, access, keys);
      ASSERT_EQ(code_of(refused), "refused");
      EXPECT_NE(refused.error().message.find((store / "repository").string()), std::string::npos);
      EXPECT_NE(refused.error().next_step.find("--key"), std::string::npos);
    }
  }
  auto after = files_in(store);
  after[store / "lock"] = before.at(store / "lock");
  EXPECT_EQ(after, before);
}

TEST_F(EncryptedRepository, IsNotMadeOfAPlainOne) {
  snapshot(store, {});
  for (const Access access : {Access::read, Access::write}) {
    EXPECT_EQ(code_of(Repository::open(store, access, {.encryption = encryption_key()})),
              "refused");
  }
  EXPECT_TRUE(Repository::open(store, Access::read));
}

// What was made with the same key, in a repository of its own.
TEST_F(EncryptedRepository, TakesNoManifestOfAnotherOne) {
  snapshot(store);
  snapshot(folder / "other");
  fs::copy_file(folder / "other/manifests/1", store / "manifests/1",
                fs::copy_options::overwrite_existing);
  const auto refused = repository().manifest(1);
  ASSERT_EQ(code_of(refused), "corrupt");
  EXPECT_NE(refused.error().message.find((store / "manifests/1").string()), std::string::npos);
}

TEST_F(EncryptedRepository, TakesOverWhatASnapshotThatWasCutShortHasLeft) {
  const Manifest first = snapshot(store).manifest;
  fs::remove(store / "manifests/1");
  const SnapshotReport report = snapshot(store);
  ASSERT_EQ(report.manifest.segments.size(), 2U);
  EXPECT_EQ(report.manifest.segments[0].file, first.segments[0].file);
}

TEST_F(EncryptedRepository, LeavesATargetAloneWhenAFileIsNotWhatWasWritten) {
  const Manifest manifest = snapshot(store).manifest;
  auto plan = plan_restore(repository(), {});
  ASSERT_TRUE(plan);
  const fs::path file =
      repository().path_of(name_of(manifest.segments[0].header, manifest.segments[0].file));
  const std::string whole = read_file(file);
  for (std::size_t i = 0; i < whole.size(); i += 97) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    write_file(file, changed);
    const auto refused = restore(repository(), *plan, folder / "restored", {.now = Time{}});
    ASSERT_EQ(code_of(refused), "corrupt") << i;
    EXPECT_NE(refused.error().message.find(file.string()), std::string::npos);
    ASSERT_FALSE(fs::exists(folder / "restored"));
  }
}

// The file that Repository::add() made of a small manifest, signed with the first key.
TEST_F(EncryptedRepository, OfFormat2IsReadForEver) {
  fs::create_directories(store / "manifests");
  write_file(store / "repository",
             "almanac repository, format 2\nencrypted 000102030405060708090a0b0c0d0e0f "
             "2ba229b01d01ce432156ce9565030fffaaa31bd599e723f4a1aaa7237802447b\n");
  std::istringstream text(
      read_file(source_path("tests/snapshots/golden/encrypted_manifest_v2.txt")));
  std::size_t size = 0;
  text >> size;
  write_file(store / "manifests/1", read_rows(text, size));
  auto opened = Repository::open(store, Access::read,
                                 {.encryption = encryption_key(), .trusted = {public_key()}});
  ASSERT_TRUE(opened) << describe(opened.error());
  const auto manifest = opened->manifest(1);
  ASSERT_TRUE(manifest) << describe(manifest.error());
  EXPECT_EQ(manifest->tail.last, Position(2));
}

}  // namespace
}  // namespace almanac::test
