// Trimming the log of an engine that runs: nothing that a task needs goes.
#include <almanac/engine/carrying.h>
#include <almanac/tests/support/desk.h>
#include <almanac/tests/support/engine_fixture.h>

#include <almanac/projections/invariants.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class TrimmingTest : public EngineTest {
 protected:
  void run_tasks(int count) {
    engine->handle("work", [](const Attempt&) { return almanac::Outcome::success("made"); });
    for (int i = 0; i < count; ++i) wait_until_ended(submit({.kind = "work"}));
  }
  // Behind a start, so that all is in the store.
  EngineTrimReport trim() {
    open();
    const auto trimmed = engine->trim({.before = engine->state()->position});
    EXPECT_TRUE(trimmed.has_value()) << (trimmed ? "" : trimmed.error().message);
    EXPECT_TRUE(broken_invariants(*engine->state(), 5).empty());
    return trimmed.value_or(EngineTrimReport());
  }
};

TEST_F(TrimmingTest, LeavesATaskThatWaitsAllThatItNeeds) {
  open();
  run_tasks(1);
  const TaskId input(1);
  const TaskId old = submit({.kind = "later",
                             .label = "old",
                             .payload = "needed",
                             .dependencies = {input},
                             .tags = {"kept"}});
  const Position enqueued = task(old).enqueued;
  run_tasks(40);
  const auto trimmed = trim();
  EXPECT_EQ(trimmed.carried, 2U) << "a request and a result";
  EXPECT_GT(trimmed.log.first, enqueued);
  EXPECT_GE(task(old).enqueued, trimmed.log.first);
  open();
  std::string seen;
  engine->handle("later", [&](const Attempt& attempt) {
    seen = as_text(attempt.payload);
    const auto results = attempt.dependencies();
    if (!results) return almanac::Outcome::permanent_failure(results.error().message);
    for (const auto& result : *results) seen += " " + result.result;
    return almanac::Outcome::success();
  });
  EXPECT_EQ(wait_until_ended(old).state, TaskState::succeeded);
  EXPECT_EQ(seen, "needed made");
}

TEST_F(TrimmingTest, LeavesAFailedTaskToBeLookedIntoAndRunAgain) {
  open();
  engine->handle(
      "odd", [](const Attempt&) { return almanac::Outcome::permanent_failure("no such page"); });
  const TaskId id = submit({.kind = "odd", .payload = "page 7"});
  ASSERT_EQ(wait_until_ended(id).state, TaskState::failed);
  const Position end = task(id).changed;
  run_tasks(40);
  EXPECT_GT(trim().log.first, end);
  EXPECT_EQ(outcome(id).message, "no such page");
  engine->handle("odd", [](const Attempt& attempt) {
    return almanac::Outcome::success(std::string(as_text(attempt.payload)));
  });
  ASSERT_TRUE(engine->change(TaskChange::retry, {id}));
  EXPECT_EQ(wait_for(id, TaskState::succeeded).state, TaskState::succeeded);
  EXPECT_EQ(outcome(id).result, "page 7");
}

// Writing most of a log again frees little of it.
TEST_F(TrimmingTest, KeepsAFrontOfWhichMostIsNeeded) {
  open();
  for (int i = 0; i < 50; ++i) submit({.kind = "later"});
  const auto trimmed = trim();
  EXPECT_EQ(trimmed.carried, 0U);
  EXPECT_LE(trimmed.log.first, task(TaskId(1)).enqueued);
  EXPECT_TRUE(trimmed.log.held_by.has_value());
}

TEST_F(TrimmingTest, IsRefusedByAnEngineThatWritesNoCheckpoints) {
  open({.checkpoints = {.write = false}});
  run_tasks(1);
  const auto trimmed = engine->trim({.before = Position(UINT64_MAX)});
  ASSERT_FALSE(trimmed.has_value());
  EXPECT_EQ(trimmed.error().code, ErrorCode::refused);
}

TEST_F(TrimmingTest, GoesNoFurtherThanTheCheckpointBeforeTheNewest) {
  open();
  run_tasks(40);
  const auto first = trim();
  EXPECT_EQ(first.log.events, 0U);
  EXPECT_EQ(first.log.held_by, Position()) << "there is one so far";
  const Position newest = engine->state()->position;
  run_tasks(40);
  const auto second = trim();
  EXPECT_GT(second.log.events, 0U);
  EXPECT_EQ(second.log.held_by, newest);
}

TEST_F(TrimmingTest, WantsToKnowHowMuch) {
  open();
  run_tasks(1);
  const auto trimmed = engine->trim({});
  ASSERT_FALSE(trimmed.has_value());
  EXPECT_EQ(trimmed.error().code, ErrorCode::invalid);
}

// Between the look at the state and the decision the loop goes on.
TEST(Carrying, LeavesOutWhatIsNeededNoLonger) {
  Desk desk;
  const TaskId ended = desk.submit({.kind = "work"});
  const TaskId waiting = desk.submit({.kind = "later"});
  CarryTasks command;
  for (const TaskId id : {ended, waiting}) {
    command.what.push_back({desk.task(id).enqueued, {.body = TaskRequestCarried{{.id = id}}}});
  }
  command.what.push_back({desk.state().position, {.body = TaskResultCarried{waiting, {}}}});
  desk.start([](std::string_view kind) { return kind == "work"; });
  desk.finish(ended, AttemptStatus::succeeded);
  const auto carry = [&] { return std::get<Changed>(*desk.ask(command)).tasks; };
  EXPECT_EQ(carry(), 1U);
  EXPECT_EQ(desk.task(waiting).enqueued, desk.state().position);
  EXPECT_EQ(carry(), 0U) << "it stands elsewhere now";
}

}  // namespace
}  // namespace almanac::test
