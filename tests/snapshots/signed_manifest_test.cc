// Whose snapshots a repository takes: those that were signed with a key that is trusted.
#include <almanac/log/hash.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_verify.h>
#include <almanac/snapshots/prune.h>
#include <almanac/snapshots/restore.h>
#include <almanac/snapshots/sealed_text.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/repository_keys.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

class SignedManifest : public ::testing::Test {
 protected:
  SnapshotReport snapshot(RepositoryKeys keys) {
    EXPECT_TRUE(log.append(numbered_events(++events, 5)));
    events += 100;
    auto repository = Repository::open(store, Access::write, std::move(keys));
    auto made = create_snapshot(*log, folder / "log", *repository, {.made_at = Time{}});
    EXPECT_TRUE(made) << describe(made.error());
    return made ? *made : SnapshotReport{};
  }
  SnapshotReport signed_snapshot() { return snapshot({.signing = signing_key()}); }
  [[nodiscard]] Repository repository(std::vector<PublicKey> trusted = {}) const {
    return std::move(*Repository::open(store, Access::read, {.trusted = std::move(trusted)}));
  }
  // The file of manifest 1, and what reading it gives, trusting anyone or the first key.
  [[nodiscard]] fs::path file() const { return store / "manifests/1"; }
  [[nodiscard]] std::string read_by_all() const {
    return std::string(code_of(repository().manifest(1)));
  }
  [[nodiscard]] std::string read_by_one() const {
    const auto manifest = repository({public_key()}).manifest(1);
    if (!manifest) {
      EXPECT_NE(manifest.error().message.find(file().string()), std::string::npos);
    }
    return std::string(code_of(manifest));
  }
  // That restoring refuses, and leaves nothing.
  void expect_no_restore() const {
    const auto from = repository({public_key()});
    const auto plan = plan_restore(from, {});
    EXPECT_EQ(code_of(plan), "refused");
    const auto listed = list_snapshots(from);
    EXPECT_FALSE(listed.front().whole());
    EXPECT_FALSE(verify_archive(from, {})->snapshots.front().whole());
  }

  TempFolder folder;
  fs::path store = folder / "backup";
  TestLog log{folder / "log"};
  std::uint64_t events = 0;
};

TEST_F(SignedManifest, TellsWhoSignedIt) {
  signed_snapshot();
  EXPECT_EQ(repository({public_key()}).manifest(1)->signer, public_key());
  EXPECT_EQ(repository({public_key(2), public_key()}).manifest(1)->signer, public_key());
  EXPECT_EQ(repository().manifest(1)->signer, public_key());
}

TEST_F(SignedManifest, IsTheOnlyOneTakenWhereAKeyIsTrusted) {
  snapshot({});
  EXPECT_EQ(read_by_all(), "ok");
  EXPECT_EQ(repository().manifest(1)->signer, std::nullopt);
  EXPECT_EQ(read_by_one(), "refused");
  expect_no_restore();
  fs::remove_all(store);
  snapshot({.signing = signing_key(2)});
  EXPECT_EQ(read_by_all(), "ok");
  EXPECT_EQ(read_by_one(), "refused");
  expect_no_restore();
}

TEST_F(SignedManifest, LosesItsSignerWithItsSignature) {
  signed_snapshot();
  const std::string whole = read_file(file());
  const auto signature = whole.find("ed25519 ");
  ASSERT_NE(signature, std::string::npos);
  write_file(file(), whole.substr(0, signature));
  EXPECT_EQ(read_by_all(), "ok");
  EXPECT_EQ(read_by_one(), "refused");
  // Of another manifest of the same signer.
  signed_snapshot();
  const std::string other = read_file(store / "manifests/2");
  write_file(file(), whole.substr(0, signature) + other.substr(other.find("ed25519 ")));
  EXPECT_EQ(read_by_all(), "corrupt");
  EXPECT_EQ(read_by_one(), "corrupt");
}

TEST_F(SignedManifest, IsDamagedWhicheverBitOfItsSignatureIsFlipped) {
  signed_snapshot();
  const std::string whole = read_file(file());
  for (std::size_t i = 8 * whole.find("ed25519 "); i < 8 * whole.size(); ++i) {
    std::string changed = whole;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ 1 << i % 8);
    write_file(file(), changed);
    ASSERT_EQ(read_by_all(), "corrupt") << i;
  }
}

// By who may write to the repository and computes the digest again.
TEST_F(SignedManifest, IsNotChangedByWhoHasNoKey) {
  signed_snapshot();
  const std::string whole = read_file(file());
  Manifest manifest = *repository().manifest(1);
  manifest.state[0] ^= std::byte{1};
  const std::string text = encode(manifest);
  const std::string lines = text + "\nblake2b " + to_hex(blake2b(as_bytes(text))) + "\n";
  write_file(file(), lines + whole.substr(whole.find("ed25519 ")));
  EXPECT_EQ(read_by_all(), "corrupt");
  EXPECT_EQ(read_by_one(), "corrupt");
  // With a signature of his own.
  const std::string own = "ed25519 " + to_hex(public_key(2).bytes) + " " +
                          to_hex(sign(as_bytes(lines), signing_key(2)).bytes) + "\n";
  write_file(file(), lines + own);
  EXPECT_EQ(read_by_all(), "ok");
  EXPECT_EQ(read_by_one(), "refused");
}

TEST_F(SignedManifest, BuildsOnNothingThatItsSignerDoesNotTrust) {
  const Manifest first = snapshot({}).manifest;
  const SnapshotReport second = signed_snapshot();
  EXPECT_EQ(second.from, Position(1));
  EXPECT_EQ(second.manifest.segments.size(), 1U);
  EXPECT_EQ(second.manifest.base, std::nullopt);
  ASSERT_EQ(second.refused.size(), 1U);
  EXPECT_NE(second.refused[0].message.find(file().string()), std::string::npos);
  // Who trusts anyone sees one row of snapshots.
  EXPECT_EQ(second.manifest.previous, Repository::digest_of(first));
  const auto verified = verify_archive(repository(), {});
  EXPECT_TRUE(std::ranges::all_of(verified->snapshots, &CheckedSnapshot::whole));
  EXPECT_EQ(signed_snapshot().manifest.segments.size(), 2U);
  // Another signer, who trusts the first one.
  const auto fourth = snapshot({.signing = signing_key(2), .trusted = {public_key()}});
  EXPECT_EQ(fourth.manifest.segments.size(), 3U);
  EXPECT_TRUE(fourth.refused.empty());
}

// What an untrusted manifest names is needed all the same, and what none names is not.
TEST_F(SignedManifest, GoesOnBehindWhatWasLeftBesideOneThatIsNotTrusted) {
  const Manifest first = snapshot({}).manifest;
  const Manifest second = signed_snapshot().manifest;
  fs::remove(store / "manifests/2");
  const Manifest third = signed_snapshot().manifest;
  ASSERT_EQ(third.segments.size(), 2U);
  EXPECT_EQ(third.segments[0].file, second.segments[0].file);
  EXPECT_TRUE(std::ranges::all_of(list_snapshots(repository()), &CheckedSnapshot::whole));
  EXPECT_EQ(repository().files().size(), files_of(first).size() + files_of(third).size());
}

TEST_F(SignedManifest, IsNotPrunedForOneThatIsNotTrusted) {
  signed_snapshot();
  snapshot({});
  const auto prune_with = [&](std::vector<PublicKey> trusted) {
    auto writing = Repository::open(store, Access::write, {.trusted = std::move(trusted)});
    return prune(*writing, {.policy = {.last = 1}, .now = Time{}});
  };
  const auto refused = prune_with({public_key()});
  ASSERT_EQ(code_of(refused), "refused");
  EXPECT_NE(refused.error().message.find("manifests/2"), std::string::npos);
  EXPECT_EQ(repository().numbers().size(), 2U);
  EXPECT_TRUE(prune_with({}));
  EXPECT_EQ(repository().numbers().size(), 1U);
}

// What an earlier version wrote.
TEST_F(SignedManifest, GoesOnToBeRead) {
  const Manifest manifest{
      .number = 1,
      .tail = {.last = Position(2)},
      .segments = {{.header = {.first = Position(1), .last = Position(2), .frames = 1},
                    .file = {}}},
      .checkpoint = {.position = Position(2), .base = {}, .file = {}}};
  const std::string written =
      encode(manifest) +
      "\nblake2b 8883540b92c44f2ea991f563d2edc6971c88dd87823517ccb634a4567d8b4c22\n"
      "ed25519 d62f016a1efd1e4fdf793eb42cd84471e1ba9f0cf04d1287b5cc71f616287cb8 "
      "41ed20cadf7cb953fffeece86aca5b0d8f68874be1dff5a466601427d187357b"
      "de51113328c8fd25f2a13532e9b021a74c8a8c8e4e66fd077cc64c3d0d500602\n";
  EXPECT_EQ(seal(encode(manifest), signing_key()), written);
  const auto read = unseal(written);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->text, encode(manifest));
  EXPECT_EQ(read->signer, public_key());
}

}  // namespace
}  // namespace almanac::test
