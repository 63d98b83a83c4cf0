// Workers elsewhere and engines that are killed, each while the other goes on.
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>

#include <gtest/gtest.h>

#include <csignal>
#include <sstream>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

HeldLease parse_lease(const std::string& line) {
  std::istringstream words(line);
  std::uint64_t id = 0;
  std::string token;
  words >> id >> token;
  const auto parsed = parse_fencing_token(token);
  EXPECT_TRUE(parsed) << line;
  return {TaskId(id), parsed.value_or(FencingToken())};
}

class KilledWorker : public EngineTest {};

TEST_F(KilledWorker, LosesItsTaskAndOnlyBySilence) {
  open();
  const TaskId id = submit({.kind = "render"});
  ChildProcess worker({program_path("lease_worker")});
  ASSERT_EQ(worker.read_line(), "lease");
  const auto leased = engine->lease({.worker = "render-1", .kinds = {"render"}, .lease_time = 1s});
  ASSERT_TRUE(leased);
  const HeldLease held = leased->front().lease;
  std::string said = worker.ask("task " + std::to_string(id.value) + " " + to_text(held.token));
  const auto end = std::chrono::steady_clock::now() + 2500ms;
  while (std::chrono::steady_clock::now() < end) {
    ASSERT_EQ(said.substr(0, 5), "beat ");
    ASSERT_EQ(engine->heartbeat({parse_lease(said.substr(5))})->front(), LeaseStatus::held);
    said = worker.ask("held");
  }
  EXPECT_EQ(task(id).state, TaskState::running);
  worker.kill(SIGKILL);
  EXPECT_EQ(worker.wait(), -SIGKILL);
  wait_for(id, TaskState::ready);
  EXPECT_EQ(*engine->state()->tasks.crashes.find(id), 1U);
  EXPECT_EQ(history(id), "TaskEnqueued TaskStarted TaskHandedBack");
}

TEST(LeaseExample, RunsATaskElsewhere) {
  const TempFolder folder;
  ChildProcess program({program_path("example_lease"), folder / "example"});
  EXPECT_EQ(program.read_line(), "task 1 succeeded");
  EXPECT_EQ(program.wait(), 0);
}

class KilledEngineOfAWorker : public EngineTest {
 protected:
  void SetUp() override {
    ChildProcess victim({program_path("lease_victim"), log_folder()});
    held = parse_lease(victim.read_line());
    victim.kill(SIGKILL);
    ASSERT_EQ(victim.wait(), -SIGKILL);
  }
  HeldLease held;
};

TEST_F(KilledEngineOfAWorker, HasItsTaskFinishedBehindIt) {
  open();
  EXPECT_EQ(task(held.id).state, TaskState::running);
  EXPECT_EQ(task(TaskId(2)).state, TaskState::ready) << "what it ran itself is taken back";
  EXPECT_EQ(engine->state()->tasks.remote.find(held.id)->worker.view(), "render-1");
  EXPECT_EQ(engine->heartbeat({held})->front(), LeaseStatus::held);
  ASSERT_TRUE(engine->finish(held, Outcome::success("page 7, rendered")));
  EXPECT_EQ(outcome(held.id).result, "page 7, rendered");
  EXPECT_EQ(history(held.id), "TaskEnqueued TaskStarted TaskSucceeded");
}

TEST_F(KilledEngineOfAWorker, GivesItToNobodyElseMeanwhile) {
  open();
  const auto other = engine->lease({.worker = "render-2", .kinds = {"render"}, .timeout = 0ms});
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->empty());
}

}  // namespace
}  // namespace almanac::test
