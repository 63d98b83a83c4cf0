// Entries of users: nothing of them is on disk but what the user's key opens, and nothing at all
// once the user was forgotten.
#include <almanac/engine/memory_reader.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/fork.h>
#include <almanac/snapshots/restore.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/snapshots/user_key_file.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <semaphore>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Of each field one that can be looked for.
const std::vector<float> embedding_canary = {0.12345F, 0.54321F, 0.98765F, 0.11111F};

MemorySpec canaries(const std::string& user) {
  return {.kind = "fact",
          .user = user,
          .content = "canary-content",
          .summary = "canary-summary",
          .embedding = embedding_canary,
          .tags = {"canary-tag"},
          .metadata = {{"canary-name", "canary-value"}}};
}

class SealedMemoriesOfEngine : public EngineTest {
 protected:
  [[nodiscard]] std::string found_on_disk() const {
    const std::string raw(as_text(std::as_bytes(std::span(embedding_canary))));
    std::string found;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
      if (!entry.is_regular_file()) continue;
      const std::string bytes = read_file(entry.path());
      if (bytes.find("canary") != bytes.npos || bytes.find(raw) != bytes.npos) {
        found += entry.path().string() + " ";
      }
    }
    return found;
  }
  [[nodiscard]] std::size_t hits(const MemoryQuery& query) const {
    const auto found = engine->search_memories(query);
    return found ? found->size() : SIZE_MAX;
  }
};

TEST_F(SealedMemoriesOfEngine, LeaveNoFieldReadableOnDisk) {
  open({.checkpoints = {.events = 1}});
  const auto id = engine->remember(canaries("ann"));
  ASSERT_TRUE(id) << describe(id.error());
  ASSERT_TRUE(engine->update_memory({.id = *id, .summary = "canary-summary, changed"}));
  engine->handle("learn", [](const Attempt&) {
    return Outcome::success("done").remembering({canaries("ann")});
  });
  wait_for(submit({.kind = "learn"}), TaskState::succeeded);
  EXPECT_EQ(hits({.embedding = embedding_canary, .user = "ann", .tags = {"canary-tag"}}), 2U);
  auto repository = Repository::open(folder / "backup", Access::write);
  ASSERT_TRUE(create_snapshot(engine->log(), log_folder(), *repository, {.made_at = clock.now()}));
  ASSERT_TRUE(fork_log(engine->log(), log_folder(), folder / "fork",
                       {.at = engine->log().tail()->last, .now = clock.now()}));
  EXPECT_EQ(found_on_disk(), "");
  close();
  EXPECT_EQ(found_on_disk(), "");
  write_file(folder / "planted", "canary");
  EXPECT_NE(found_on_disk(), "") << "what is looked for can be found";
}

TEST_F(SealedMemoriesOfEngine, AreReadByWhoHasTheKeys) {
  open();
  const auto id = engine->remember(canaries("ann"));
  const auto kept = engine->remember(canaries("bob"));
  ASSERT_TRUE(id && kept);
  ASSERT_TRUE(engine->update_memory({.id = *id, .content = "changed"}));
  EXPECT_EQ(content_of(**engine->memory(*id)).content, "changed");
  EXPECT_EQ(content_of(**engine->memory(*id)).summary, "canary-summary");
  EXPECT_EQ(engine->memory(MemoryId(9)).error().code, ErrorCode::not_found);
  EXPECT_EQ(hits({.text = "CHANGED"}), 1U);
  EXPECT_EQ(hits({.embedding = embedding_canary}), 2U);
  close();
  open();
  EXPECT_EQ(content_of(**engine->memory(*id)).content, "changed");
  ASSERT_TRUE(engine->contexts().forget("ann"));
  EXPECT_EQ(engine->memory(*id).error().code, ErrorCode::refused);
  EXPECT_EQ(hits({.text = "CHANGED"}), 0U);
  EXPECT_EQ(hits({.embedding = embedding_canary}), 1U);
  EXPECT_EQ(hits({.user = "ann", .unreadable = true}), 1U);
  EXPECT_EQ(engine->update_memory({.id = *id, .content = "again"}).error().code,
            ErrorCode::refused);
  EXPECT_EQ(engine->contexts().forget("ann").error().code, ErrorCode::not_found);
  EXPECT_TRUE(engine->remember(canaries("ann"))) << "who comes back begins anew";
  EXPECT_EQ(hits({.user = "ann"}), 1U);
  EXPECT_EQ(content_of(**engine->memory(*kept)).content, "canary-content");
}

// What is known of a user in a context and what is remembered of him have one key.
TEST_F(SealedMemoriesOfEngine, GoWithTheContextOfTheirUser) {
  open();
  ASSERT_TRUE(engine->remember(canaries("ann")));
  close();
  open();
  ASSERT_TRUE(engine->contexts().change("ann", {.friendship = 0.5}));
  EXPECT_EQ(engine->contexts().get("ann")->sealed().key,
            (*engine->state()->memories.all.find(MemoryId(1)))->sealed->key);
  ASSERT_TRUE(engine->contexts().forget("ann"));
  EXPECT_TRUE(engine->state()->memories.user_keys.empty());
  EXPECT_FALSE(engine->contexts().get("ann"));
  EXPECT_EQ(engine->memory(MemoryId(1)).error().code, ErrorCode::refused);
}

// The log of old keeps what an entry was sealed with, also where the entry itself has gone.
TEST_F(SealedMemoriesOfEngine, AUserWhoseEntriesAllWentCanStillBeForgotten) {
  open();
  ASSERT_TRUE(engine->remember(canaries("ann")));
  const UserKeyId id = (*engine->state()->memories.all.find(MemoryId(1)))->sealed->key;
  ASSERT_TRUE(engine->forget_memories({MemoryId(1)}));
  close();
  open();
  ASSERT_TRUE(engine->contexts().forget("ann"));
  EXPECT_TRUE(engine->contexts().keys().is_destroyed(id));
}

TEST_F(SealedMemoriesOfEngine, WithoutTheirKeyAreAnErrorUntilItIsBrought) {
  open();
  const auto id = engine->remember(canaries("ann"));
  ASSERT_TRUE(id && engine->remember({.kind = "fact", .content = "nobody's"}));
  close();
  ASSERT_TRUE(export_user_keys(log_folder(), folder / "carried"));
  fs::remove_all(log_folder() / "keys");
  open();
  const Error missing = engine->memory(*id).error();
  EXPECT_EQ(missing.code, ErrorCode::not_found);
  EXPECT_NE(missing.next_step.find("context import-keys"), std::string::npos) << missing.next_step;
  EXPECT_EQ(hits({}), 1U);
  EXPECT_EQ(engine->remember(canaries("ann")).error().code, ErrorCode::not_found);
  EXPECT_EQ(engine->update_memory({.id = *id, .content = "x"}).error().code, ErrorCode::not_found);
  const auto brought = import_user_keys(folder / "carried", log_folder(), {});
  ASSERT_TRUE(brought) << describe(brought.error());
  EXPECT_EQ(brought->keys, 1U);
  EXPECT_TRUE(engine->remember(canaries("ann"))) << "which finds it";
  EXPECT_EQ(content_of(**engine->memory(*id)).content, "canary-content");
  EXPECT_EQ(hits({}), 3U);
}

TEST_F(SealedMemoriesOfEngine, ATaskWhoseMemoriesHaveNoKeyFails) {
  open();
  ASSERT_TRUE(engine->remember(canaries("ann")));
  close();
  fs::remove_all(log_folder() / "keys");
  open();
  engine->handle("learn", [](const Attempt&) {
    return Outcome::success("done").remembering({canaries("ann")});
  });
  const TaskId id = submit({.kind = "learn"});
  wait_for(id, TaskState::failed);
  EXPECT_NE(outcome(id).message.find("what it remembers cannot be stored: the key of the user"),
            std::string::npos)
      << outcome(id).message;
}

// Nor is what was refused of it: why the attempt has failed is on record in the clear.
TEST_F(SealedMemoriesOfEngine, ARefusedEntryOfATaskLeavesNothingReadableOnDisk) {
  open();
  std::vector<MemorySpec> refused(3, canaries("ann"));
  refused[0].tags = {"canary tag"};
  refused[1].metadata = {{"canary name", true}};
  refused[2].metadata = {{"canary-name", std::string("\xff")}};
  for (std::size_t i = 0; i < refused.size(); ++i) {
    const std::string kind = "learn" + std::to_string(i);
    engine->handle(kind, [spec = refused[i]](const Attempt&) {
      return Outcome::success("done").remembering({spec});
    });
    const TaskId id = submit({.kind = kind});
    wait_for(id, TaskState::failed);
    const std::string field = i == 0 ? "tags" : "metadata";
    EXPECT_EQ(outcome(id).message, "what it remembers cannot be stored: " + field + " is invalid");
  }
  EXPECT_NE(engine->remember(refused[0]).error().message.find("canary tag"), std::string::npos)
      << "who asks is told";
  close();
  EXPECT_EQ(found_on_disk(), "");
}

TEST_F(SealedMemoriesOfEngine, ACrashBehindTheLedgerIsMadeGood) {
  open();
  ASSERT_TRUE(engine->remember(canaries("ann")));
  const UserKeyId id = engine->contexts().key_of("ann")->id;
  close();
  ASSERT_TRUE((*UserKeys::open(log_folder()))->destroy(id));
  open();
  EXPECT_TRUE(engine->state()->memories.user_keys.empty()) << "the log hears of it";
  EXPECT_TRUE(engine->state()->contexts.destroyed.contains(id));
}

// The engine is killed while it stores: what it has acknowledged opens, as each key was on disk
// before what is sealed with it.
TEST_F(SealedMemoriesOfEngine, AKilledEngineLosesNoKeyOfWhatItAcknowledged) {
  ChildProcess victim({program_path("memory_victim"), log_folder()});
  int acknowledged = 0;
  while (acknowledged < 20) acknowledged = std::stoi(victim.read_line());
  victim.kill(SIGKILL);
  EXPECT_EQ(victim.wait(), -SIGKILL);
  open();
  const auto all = engine->state()->memories.all;
  EXPECT_GE(all.size(), std::size_t(acknowledged));
  for (const auto& [id, version] : all) {
    const auto open = engine->memory(id);
    ASSERT_TRUE(open) << describe(open.error());
    EXPECT_EQ(content_of(**open).content, "secret of user" + std::to_string(id.value));
  }
  for (const auto& entry : fs::recursive_directory_iterator(log_folder())) {
    if (!entry.is_regular_file()) continue;
    const std::string bytes = read_file(entry.path());
    EXPECT_EQ(bytes.find("secret of"), bytes.npos) << entry.path();
    EXPECT_EQ(bytes.find("tag-of-"), bytes.npos) << entry.path();
  }
}

}  // namespace
}  // namespace almanac::test
