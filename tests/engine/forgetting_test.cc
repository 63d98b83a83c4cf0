// ForgettingUsers a user: his key is destroyed, and nothing that is on disk can be read any more,
// whatever was copied, restored or forked before, and in whatever order.
#include <almanac/engine/memory_reader.h>
#include <almanac/log/compact.h>
#include <almanac/log/verify.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/fork.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/restore.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view secret = "She is allergic to strawberries";
constexpr std::string_view hint = "allergic_to";

class ForgettingUsers : public EngineTest {
 protected:
  void know(const std::string& user) {
    auto changed = engine->contexts().change(
        user, {.preferences = {{std::string(hint), "strawberries, says " + user}},
               .turns = {{TurnRole::user, std::string(secret), {}}}});
    ASSERT_TRUE(changed) << describe(changed.error());
    auto stored = engine->remember({.kind = "fact",
                                    .user = user,
                                    .content = std::string(secret),
                                    .summary = std::string(hint),
                                    .embedding = {0.12345F, 0.54321F, 0.98765F},
                                    .tags = {std::string(hint)},
                                    .metadata = {{std::string(hint), true}}});
    ASSERT_TRUE(stored) << describe(stored.error());
  }
  [[nodiscard]] EncryptionKey key_of(const std::string& user) {
    const auto key = engine->contexts().key_of(user);
    return key ? *key->key : EncryptionKey();
  }
  // Which of them are in any file of this test, also of the logs that were put aside.
  [[nodiscard]] std::string found_on_disk(std::initializer_list<std::string_view> wanted) const {
    std::string found;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
      if (!entry.is_regular_file()) continue;
      const std::string file = read_file(entry.path());
      for (const std::string_view each : wanted) {
        if (file.find(each) != file.npos)
          found += std::string(each) + " in " + entry.path().string();
      }
    }
    return found;
  }
  [[nodiscard]] bool is_on_disk(std::string_view bytes) const {
    return !found_on_disk({bytes}).empty();
  }
  [[nodiscard]] bool is_on_disk(const EncryptionKey& key) const {
    return is_on_disk(as_text(key.bytes));
  }
  // What becomes of it when it is read in a folder: ok, or the code of the error.
  [[nodiscard]] static std::string reading(const fs::path& place, std::string_view user) {
    auto log = Log::open(place, {.access = Access::read});
    auto state = log ? state_at(**log, place) : std::unexpected(log.error());
    auto keys = UserKeys::open(place);
    if (!state || !keys) return "no log";
    const SharedContext* known = state->contexts.find(user);
    if (known == nullptr) return "nothing is known";
    const auto open = ContextSnapshot(known->pointer(), **keys).open();
    return open ? "ok" : std::string(name(open.error().code));
  }

  // The same of what is remembered of him; "nothing is known" of what was forgotten.
  [[nodiscard]] static std::string remembering(const fs::path& place, std::string_view user) {
    auto log = Log::open(place, {.access = Access::read});
    auto state = log ? state_at(**log, place) : std::unexpected(log.error());
    auto keys = UserKeys::open(place);
    if (!state || !keys) return "no log";
    const MemoryReader reader(*state, keys->get());
    std::string all;
    for (const auto& [id, version] : state->memories.all) {
      if (state->names.text(*version->user) != user) continue;
      const auto open = reader.open(id, version);
      all += open ? "ok" : std::string(name(open.error().code));
    }
    return all;
  }

  void forget(const std::string& user) {
    open();
    ASSERT_TRUE(engine->contexts().forget(user));
    close();
  }
  void snapshot() const {
    auto log = Log::open(log_folder(), {.access = Access::read});
    auto repository = Repository::open(folder / "backup", Access::write);
    ASSERT_TRUE(create_snapshot(**log, log_folder(), *repository, {.made_at = system_time()}));
  }
  void restore_first() const {
    const auto repository = Repository::open(folder / "backup", Access::read);
    const auto plan = plan_restore(*repository, {.snapshot = 1, .moment = {}});
    ASSERT_TRUE(plan) << describe(plan.error());
    const auto report =
        restore(*repository, *plan, log_folder(), {.now = system_time(), .replace = true});
    ASSERT_TRUE(report) << describe(report.error());
  }
  void fork(const Log& log, const std::string& name) const {
    const auto report =
        fork_log(log, log_folder(), folder / name, {.at = log.tail()->last, .now = system_time()});
    ASSERT_TRUE(report) << describe(report.error());
  }
};

TEST_F(ForgettingUsers, LeavesNothingToRead) {
  open();
  know("ann");
  know("bob");
  const EncryptionKey key = key_of("ann");
  const auto held = engine->contexts().get("ann");
  EXPECT_TRUE(held->open());
  EXPECT_FALSE(is_on_disk(secret)) << "sealed from the beginning";
  EXPECT_FALSE(is_on_disk(hint)) << "and so are the names of fields";
  EXPECT_TRUE(is_on_disk(key)) << "what is searched for can be found";
  ASSERT_TRUE(engine->contexts().forget("ann"));
  EXPECT_FALSE(is_on_disk(key));
  EXPECT_FALSE(engine->contexts().get("ann"));
  EXPECT_EQ(held->open().error().code, ErrorCode::refused) << "who holds a snapshot cannot either";
  EXPECT_EQ(engine->contexts().forget("ann").error().code, ErrorCode::not_found);
  EXPECT_TRUE(engine->contexts().get("bob")->open());
  close();
  EXPECT_EQ(reading(log_folder(), "bob"), "ok");
  const auto log = Log::open(log_folder(), {.access = Access::read});
  EXPECT_TRUE(verify(**log, VerifyOptions{})) << "the chain is valid";
}

TEST_F(ForgettingUsers, WhoComesBackBeginsAnew) {
  open();
  know("ann");
  const EncryptionKey key = key_of("ann");
  ASSERT_TRUE(engine->contexts().forget("ann"));
  ASSERT_TRUE(engine->contexts().change("ann", {.friendship = 0.5}));
  EXPECT_NE(key_of("ann").bytes, key.bytes);
  const auto ann = engine->contexts().get("ann")->open();
  EXPECT_TRUE(ann->preferences.empty());
  EXPECT_EQ(ann->turns_added, 0U);
}

// A state is folded without any key, and is the same with and without.
TEST_F(ForgettingUsers, NoDigestDependsOnAKey) {
  open();
  know("ann");
  close();
  const auto digest_now = [&] {
    auto log = Log::open(log_folder(), {.access = Access::read});
    return digest(*rebuild(**log, {}));
  };
  const Digest before = digest_now();
  fs::remove_all(log_folder() / "keys");
  EXPECT_EQ(digest_now(), before);
  EXPECT_EQ(reading(log_folder(), "ann"), "not_found") << "a key that is lost is not one destroyed";
  open();
  EXPECT_EQ(engine->contexts().change("ann", {.friendship = 1}).error().code, ErrorCode::not_found);
  EXPECT_TRUE(engine->contexts().forget("ann"));
  EXPECT_TRUE(engine->contexts().change("ann", {.friendship = 1}));
}

TEST_F(ForgettingUsers, AKeyIsOnDiskBeforeAnythingIsSealedWithIt) {
  std::atomic<int> events = 0;
  std::atomic<int> without = 0;
  open({.on_events = [&](const State&, std::span<const RecordedEvent> told) {
    for (const RecordedEvent& event : told) {
      const auto* turn = std::get_if<ConversationTurnAdded>(&event.event.body);
      if (turn == nullptr) continue;
      ++events;
      const std::string users = read_file(log_folder() / "keys/users");
      without += users.find(as_text(turn->key)) == std::string::npos ? 1 : 0;
    }
  }});
  for (int i = 0; i < 20; ++i) know("user" + std::to_string(i));
  close();
  EXPECT_EQ(events, 20);
  EXPECT_EQ(without, 0);
}

// All orders of the three behind a snapshot, with a compaction behind each, and another snapshot.
TEST_F(ForgettingUsers, SurvivesEveryOrderOfForkRestoreAndCompaction) {
  static constexpr std::array<float, 3> numbers = {0.12345F, 0.54321F, 0.98765F};
  const std::string_view embedding = as_text(std::as_bytes(std::span(numbers)));
  enum class Step { forget, fork, restore };
  std::array order = {Step::forget, Step::fork, Step::restore};
  do {
    for (const char* left : {"log", "backup", "fork", "log.replaced"}) {
      fs::remove_all(folder / left);
    }
    open();
    know("ann");
    know("bob");
    const EncryptionKey key = key_of("ann");
    close();
    snapshot();
    std::string steps;
    for (const Step step : order) {
      steps += std::to_string(static_cast<int>(step));
      if (step == Step::forget) forget("ann");
      if (step == Step::fork) fork(**Log::open(log_folder(), {.access = Access::read}), "fork");
      if (step == Step::restore) restore_first();
      ASSERT_TRUE(compact(log_folder()));
    }
    EXPECT_NE(reading(log_folder(), "ann"), "ok") << steps;
    EXPECT_EQ(remembering(log_folder(), "ann"), "refused") << steps;
    open();
    close();
    snapshot();
    EXPECT_EQ(reading(log_folder(), "ann"), "nothing is known") << steps;
    EXPECT_NE(reading(folder / "fork", "ann"), "ok") << steps;
    EXPECT_EQ(remembering(log_folder(), "ann"), "refused") << steps;
    EXPECT_EQ(remembering(folder / "fork", "ann"), "refused") << steps;
    EXPECT_EQ(found_on_disk({secret, hint, embedding, as_text(key.bytes)}), "") << steps;
    EXPECT_EQ(reading(log_folder(), "bob"), "ok") << steps;
    EXPECT_EQ(reading(folder / "fork", "bob"), "ok") << steps;
    EXPECT_EQ(remembering(log_folder(), "bob"), "ok") << steps;
    EXPECT_EQ(remembering(folder / "fork", "bob"), "ok") << steps;
  } while (std::ranges::next_permutation(order).found);
}

TEST_F(ForgettingUsers, InAForkForgetsInTheLogItIsOf) {
  open();
  know("ann");
  const EncryptionKey key = key_of("ann");
  fork(engine->log(), "fork");
  {
    auto other = Engine::open({.folder = folder / "fork"});
    ASSERT_TRUE(other) << describe(other.error());
    ASSERT_TRUE((*other)->contexts().forget("ann"));
  }
  EXPECT_FALSE(is_on_disk(key));
  ASSERT_TRUE(engine->contexts().change("ann", {.friendship = 1})) << "with a key of its own";
  EXPECT_TRUE(engine->contexts().get("ann")->open()->turns.empty());
}

TEST_F(ForgettingUsers, ACrashBehindTheLedgerIsMadeGood) {
  open();
  know("ann");
  const EncryptionKey key = key_of("ann");
  close();
  const std::string users = read_file(log_folder() / "keys/users");
  {
    auto keys = UserKeys::open(log_folder());
    auto log = Log::open(log_folder(), {.access = Access::read});
    ASSERT_TRUE((*keys)->destroy((**state_at(**log, log_folder())->contexts.find("ann")).key));
  }
  write_file(log_folder() / "keys/users", users);
  open();
  EXPECT_FALSE(is_on_disk(key));
  EXPECT_FALSE(engine->contexts().get("ann"));
  EXPECT_EQ(engine->state()->contexts.destroyed.size(), 1U);
}

}  // namespace
}  // namespace almanac::test
