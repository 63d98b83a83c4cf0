// The files of the keys of users, and what is left of a key that was destroyed.
#include <almanac/log/hash.h>
#include <almanac/snapshots/user_key_file.h>
#include <almanac/snapshots/user_keys.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

class UserKeysTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<UserKeys> open(const std::string& name = "log") const {
    auto keys = UserKeys::open(folder / name);
    EXPECT_TRUE(keys) << describe(keys.error());
    return std::move(*keys);
  }
  [[nodiscard]] fs::path users(const std::string& name = "log") const {
    return folder / name / "keys/users";
  }
  [[nodiscard]] fs::path ledger(const std::string& name = "log") const {
    return folder / name / "keys/destroyed";
  }
  [[nodiscard]] static bool holds(const fs::path& file, const EncryptionKey& key) {
    return read_file(file).find(as_text(key.bytes)) != std::string::npos;
  }

  TempFolder folder;
};

TEST_F(UserKeysTest, AreThereAgainAndReadableToTheirOwnerAlone) {
  const UserKeyId id = *open()->create();
  const auto key = open()->find(id);
  ASSERT_NE(key, nullptr);
  EXPECT_TRUE(holds(users(), *key));
  for (const fs::path& file : {users(), ledger()}) {
    EXPECT_EQ(fs::status(file).permissions() & (fs::perms::group_all | fs::perms::others_all),
              fs::perms::none);
  }
  EXPECT_EQ(open()->find(UserKeyId{}), nullptr);
}

TEST_F(UserKeysTest, WritesNothingUntilThereIsAKey) {
  EXPECT_EQ(open()->find(UserKeyId{}), nullptr);
  EXPECT_FALSE(fs::exists(folder / "log"));
}

TEST_F(UserKeysTest, ADestroyedOneIsOverwrittenAndOnRecord) {
  auto keys = open();
  const UserKeyId kept = *keys->create();
  const UserKeyId id = *keys->create();
  const auto key = keys->find(id);
  ASSERT_TRUE(keys->destroy(id));
  EXPECT_EQ(keys->find(id), nullptr);
  EXPECT_TRUE(keys->is_destroyed(id));
  EXPECT_FALSE(holds(users(), *key));
  EXPECT_EQ(read_file(users()).find(as_text(id)), std::string::npos);
  EXPECT_NE(read_file(ledger()).find(to_hex(id)), std::string::npos);
  EXPECT_TRUE(keys->destroy(id)) << "again";
  EXPECT_TRUE(open()->is_destroyed(id));
  EXPECT_NE(open()->find(kept), nullptr);
}

TEST_F(UserKeysTest, ACopyOfTheFileBringsNoDestroyedOneBack) {
  auto keys = open();
  const UserKeyId id = *keys->create();
  const auto key = keys->find(id);
  const std::string copy = read_file(users());
  ASSERT_TRUE(keys->destroy(id));
  write_file(users(), copy);
  keys = open();
  EXPECT_EQ(keys->find(id), nullptr);
  ASSERT_TRUE(keys->destroy_again({}));
  EXPECT_FALSE(holds(users(), *key));
}

TEST_F(UserKeysTest, WhatTheLogSaysIsDestroyedGoesTooWhereTheLedgerIsOld) {
  auto keys = open();
  const UserKeyId id = *keys->create();
  const auto key = keys->find(id);
  PersistentSet<UserKeyId> said;
  said.insert(id);
  ASSERT_TRUE(keys->destroy_again(said));
  EXPECT_TRUE(open()->is_destroyed(id));
  EXPECT_FALSE(holds(users(), *key));
}

// What a crash can leave of an append, in either file.
TEST_F(UserKeysTest, GoOnBehindWhatACrashTore) {
  auto keys = open();
  const UserKeyId first = *keys->create();
  write_file(users(), read_file(users()) + "a torn slot");
  write_file(ledger(), read_file(ledger()) + "0123");
  keys = open();
  const UserKeyId second = *keys->create();
  const UserKeyId third = *keys->create();
  ASSERT_TRUE(keys->destroy(third));
  keys = open();
  EXPECT_NE(keys->find(first), nullptr);
  EXPECT_NE(keys->find(second), nullptr);
  EXPECT_TRUE(keys->is_destroyed(third));
}

TEST_F(UserKeysTest, RefuseFilesThatAreNone) {
  (void)open()->create();
  const std::string whole = read_file(users());
  write_file(users(), "something else");
  EXPECT_EQ(code_of(UserKeys::open(folder / "log")), "corrupt");
  std::string newer = whole;
  newer.replace(newer.find("format 1"), 8, "format 2");
  write_file(users(), newer);
  EXPECT_EQ(code_of(UserKeys::open(folder / "log")), "newer_format");
  write_file(users(), whole);
  write_file(ledger(), "something else");
  EXPECT_EQ(code_of(UserKeys::open(folder / "log")), "corrupt");
}

TEST_F(UserKeysTest, SharedOnesAreDestroyedForAllWhoShareThem) {
  auto keys = open();
  const UserKeyId id = *keys->create();
  const auto key = keys->find(id);
  ASSERT_TRUE(share_user_keys(folder / "log", folder / "fork"));
  auto of_fork = open("fork");
  ASSERT_NE(of_fork->find(id), nullptr);
  const UserKeyId own = *of_fork->create();
  ASSERT_TRUE(of_fork->destroy(id));
  EXPECT_FALSE(holds(users("log"), *key));
  keys->look_again();
  EXPECT_EQ(keys->find(id), nullptr) << "also in a process that has it in memory";
  EXPECT_NE(keys->find(own), nullptr);
  EXPECT_TRUE(share_user_keys(folder / "none", folder / "other"));
  EXPECT_FALSE(fs::exists(folder / "other"));
}

TEST_F(UserKeysTest, AreCarriedToAnotherLogButNotWhatWasDestroyed) {
  auto keys = open();
  const UserKeyId kept = *keys->create();
  const UserKeyId gone = *keys->create();
  const UserKeyId known = *keys->create();
  const auto key = keys->find(kept);
  EXPECT_EQ(code_of(export_user_keys(folder / "none", folder / "carried")), "not_found");
  ASSERT_TRUE(export_user_keys(folder / "log", folder / "old"));
  ASSERT_TRUE(keys->destroy(gone));
  const auto written = export_user_keys(folder / "log", folder / "carried");
  ASSERT_TRUE(written) << describe(written.error());
  EXPECT_EQ(written->keys, 2U);
  EXPECT_EQ(written->destroyed, 1U);
  EXPECT_EQ(fs::status(folder / "carried").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(code_of(export_user_keys(folder / "log", folder / "carried")), "conflict");

  PersistentSet<UserKeyId> said;  // by the log that the keys are brought to
  said.insert(known);
  auto brought = import_user_keys(folder / "carried", folder / "other", said);
  ASSERT_TRUE(brought) << describe(brought.error());
  EXPECT_EQ(brought->keys, 1U);
  EXPECT_EQ(brought->destroyed, 1U);
  EXPECT_EQ(brought->refused, 1U);
  auto other = open("other");
  ASSERT_NE(other->find(kept), nullptr);
  EXPECT_EQ(other->find(kept)->bytes, key->bytes);
  EXPECT_EQ(other->find(known), nullptr);
  EXPECT_TRUE(other->is_destroyed(gone)) << "the ledger comes along";
  const auto size = fs::file_size(users("other"));
  brought = import_user_keys(folder / "old", folder / "other", said);
  ASSERT_TRUE(brought) << describe(brought.error());
  EXPECT_EQ(brought->refused, 2U) << "an older file brings nothing back";
  EXPECT_EQ(fs::file_size(users("other")), size) << "and no key twice";
  EXPECT_EQ(open("other")->bring(gone, *key).error().code, ErrorCode::refused);
}

// Which those hear of that have read the files before only when they look again.
TEST_F(UserKeysTest, WhatAnotherHasDestroyedMeanwhileIsNotBroughtBack) {
  const auto first = open();
  const UserKeyId id = *first->create();
  const EncryptionKey key = *first->find(id);
  fs::resize_file(users(), 64);
  const auto other = open();
  ASSERT_EQ(other->find(id), nullptr);
  ASSERT_TRUE(first->destroy(id));
  EXPECT_FALSE(other->is_destroyed(id)) << "it has not heard of it";
  EXPECT_EQ(other->bring(id, key).error().code, ErrorCode::refused);
  EXPECT_FALSE(holds(users(), key));
  EXPECT_EQ(other->find(id), nullptr);
  EXPECT_TRUE(other->is_destroyed(id));
}

TEST_F(UserKeysTest, AFileOfKeysThatIsNotWholeBringsNothing) {
  (void)open()->create();
  ASSERT_TRUE(export_user_keys(folder / "log", folder / "carried"));
  const std::string whole = read_file(folder / "carried");
  const auto code = [&](const std::string& content) {
    write_file(folder / "carried", content);
    return code_of(import_user_keys(folder / "carried", folder / "other", {}));
  };
  EXPECT_EQ(code_of(import_user_keys(folder / "none", folder / "other", {})), "not_found");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_NE(code(changed), "ok") << "byte " << i;
    EXPECT_NE(code(whole.substr(0, i)), "ok") << "cut at " << i;
  }
  std::string newer = whole;
  newer.replace(newer.find("format 1"), 8, "format 2");
  EXPECT_EQ(code(newer), "newer_format");
  EXPECT_FALSE(fs::exists(folder / "other"));
  EXPECT_EQ(code(whole), "ok");
}

TEST_F(UserKeysTest, BroughtOnesAreFoundByWhoHasTheFolderOpen) {
  const UserKeyId id = *open()->create();
  ASSERT_TRUE(export_user_keys(folder / "log", folder / "carried"));
  auto other = open("other");
  const UserKeyId own = *other->create();
  const auto generation = other->generation();
  ASSERT_TRUE(import_user_keys(folder / "carried", folder / "other", {}));
  EXPECT_EQ(code_of(other->need(id)), "not_found");
  other->look_again();
  EXPECT_EQ(code_of(other->need(id)), "ok");
  EXPECT_NE(other->generation(), generation);
  EXPECT_NE(other->find(own), nullptr);
}

TEST_F(UserKeysTest, AreReadWhileOthersAreMadeAndDestroyed) {
  auto keys = open();
  const UserKeyId stays = *keys->create();
  std::atomic<bool> stop = false;
  std::atomic<int> missed = 0;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) missed += keys->find(stays) == nullptr ? 1 : 0;
    });
  }
  for (int i = 0; i < 20; ++i) {
    const UserKeyId id = *keys->create();
    EXPECT_TRUE(keys->destroy(id));
  }
  stop = true;
  readers.clear();
  EXPECT_EQ(missed, 0);
}

// Each value is freed once, when the last who has it lets go.
TEST(Latest, IsTakenWholeWhileItIsReplaced) {
  struct Counted {
    explicit Counted(std::uint64_t number, std::atomic<int>& of)
        : first(number), second(number), alive(of) {
      ++alive;
    }
    ~Counted() {
      second = 0;
      --alive;
    }
    std::uint64_t first;
    std::uint64_t second;
    std::atomic<int>& alive;
  };
  std::atomic<int> alive = 0;
  {
    Latest<Counted> latest(std::make_shared<Counted>(1, alive));
    std::atomic<bool> stop = false;
    std::atomic<int> torn = 0;
    std::vector<std::jthread> takers;
    for (int i = 0; i < 4; ++i) {
      takers.emplace_back([&] {
        std::uint64_t before = 0;
        while (!stop) {
          const auto taken = latest.take();
          torn += taken->first != taken->second || taken->first < before ? 1 : 0;
          before = taken->first;
        }
      });
    }
    for (std::uint64_t number = 2; number < 50'000; ++number) {
      const auto replaced = latest.replace(std::make_shared<Counted>(number, alive));
      EXPECT_EQ(replaced->first, number - 1);
    }
    stop = true;
    takers.clear();
    EXPECT_EQ(torn, 0);
    EXPECT_EQ(latest.take()->first, 49'999U);
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace almanac::test
