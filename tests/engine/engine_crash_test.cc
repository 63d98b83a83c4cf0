// An engine that is killed: what it acknowledged is there, what it was running is taken back, and
// no process of it is left.
#include <almanac/snapshots/rebuild.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/process_watch.h>

#include <csignal>
#include <optional>

namespace almanac::test {
namespace {

constexpr TaskId ends(1);
constexpr TaskId does_not_end(2);
constexpr TaskId handler(3);

class KilledEngine : public EngineTest {
 protected:
  void SetUp() override {
    NamedPipe news(folder / "news");
    ChildProcess victim({program_path("engine_victim"), log_folder(), news.path()});
    ASSERT_EQ(victim.read_line(), "running");
    grandchild.emplace(std::stoi(news.read_line()));
    ASSERT_TRUE(grandchild->is_alive());
    victim.kill(SIGKILL);
    EXPECT_EQ(victim.wait(), -SIGKILL);
  }
  std::optional<ProcessWatch> grandchild;
};

TEST_F(KilledEngine, LeavesNoProcessBehind) { EXPECT_TRUE(grandchild->ends()); }

TEST_F(KilledEngine, LeavesALogThatSaysWhatItWasRunning) {
  auto log = Log::open(log_folder(), {.access = Access::read});
  ASSERT_TRUE(log.has_value()) << describe(log.error());
  auto state = rebuild(**log);
  ASSERT_TRUE(state.has_value()) << describe(state.error());
  EXPECT_TRUE(state->engine.running);
  EXPECT_EQ(state->tasks.all.find(ends)->state, TaskState::succeeded);
  EXPECT_EQ(state->tasks.running.size(), 2U);
}

TEST_F(KilledEngine, HasItsLeasesTakenBackAndItsWorkDoneByTheNext) {
  open();
  engine->handle("forever", [](const Attempt&) { return Outcome::success(); });
  wait_until_all_ended();
  const char* again = "TaskEnqueued TaskStarted TaskHandedBack TaskStarted TaskSucceeded";
  EXPECT_EQ(history(does_not_end), again);
  EXPECT_EQ(history(handler), again);
  EXPECT_EQ(task(does_not_end).attempts, 2U);
  EXPECT_EQ(task(does_not_end).failures, 0U);
}

TEST_F(KilledEngine, HasNothingRunAgainThatHadEnded) {
  open();
  wait_until_ended(does_not_end);
  EXPECT_EQ(history(ends), "TaskEnqueued TaskStarted TaskSucceeded");
}

TEST_F(KilledEngine, IsToBlameForEveryLeaseTakenBack) {
  open();
  std::size_t taken_back = 0;
  auto read = engine->log().read(Position(1), [&](const RecordedEvent& recorded) -> Result<bool> {
    if (const auto* back = std::get_if<TaskHandedBack>(&recorded.event.body)) {
      EXPECT_EQ(back->reason, HandBackReason::engine_died);
      ++taken_back;
    }
    return true;
  });
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(taken_back, 2U);
}

TEST_F(KilledEngine, HasItsKeysRemembered) {
  open();
  auto again = engine->submit(TaskSpec{.kind = "forever", .idempotency_key = "handler"});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->id, handler);
  EXPECT_TRUE(again->existed());
}

}  // namespace
}  // namespace almanac::test
