// What handlers and commands can say of their attempts and learn of others, in a whole engine; and
// what becomes of attempts whose process dies.
#include <almanac/tests/support/engine_fixture.h>

#include <gtest/gtest.h>

#include <atomic>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class EngineAttempts : public EngineTest {};

TEST_F(EngineAttempts, ThatSnoozeRunAgainThenAndLoseNoAttempt) {
  open_on_manual_clock();
  std::atomic<int> calls = 0;
  engine->handle("work", [&](const Attempt&) {
    return ++calls == 1 ? Outcome::snooze(clock.now() + 1h) : Outcome::success();
  });
  const TaskId id = submit({.kind = "work"});
  wait_for(id, TaskState::delayed);
  advance(59min);
  EXPECT_EQ(task(id).state, TaskState::delayed);
  advance(1min);
  EXPECT_EQ(wait_until_ended(id).state, TaskState::succeeded);
  EXPECT_EQ(task(id).failures, 0U);
}

TEST_F(EngineAttempts, ThatFailForGoodAreNotTriedAgain) {
  open();
  engine->handle("work", [](const Attempt&) { return Outcome::permanent_failure("no such page"); });
  const TaskId id = submit({.kind = "work", .attempts_max = 9});
  EXPECT_EQ(wait_until_ended(id).state, TaskState::failed);
  EXPECT_EQ(task(id).attempts, 1U);
  EXPECT_EQ(outcome(id).message, "no such page");
}

TEST_F(EngineAttempts, TellHowFarTheyAre) {
  open();
  std::atomic<bool> goes_on = false;
  engine->handle("work", [&](const Attempt& attempt) {
    attempt.progress({.fraction = 0.375, .message = "3 of 8", .partial = "abc"});
    while (!goes_on) std::this_thread::yield();
    return Outcome::success();
  });
  const TaskId id = submit({.kind = "work"});
  ASSERT_TRUE(engine->wait([&](const State& state) { return !state.tasks.progress.empty(); }, 60s));
  EXPECT_EQ(engine->state()->tasks.progress.find(id)->permille, 375);
  goes_on = true;
  wait_until_ended(id);
  EXPECT_TRUE(engine->state()->tasks.progress.empty());
  EXPECT_EQ(history(id), "TaskEnqueued TaskStarted TaskProgressed TaskSucceeded");
}

TEST_F(EngineAttempts, ReadTheResultsOfWhatTheyDependOn) {
  open();
  engine->handle("part", [](const Attempt& attempt) {
    return Outcome::success("result of " + std::string(as_text(attempt.payload)));
  });
  engine->handle("broken", [](const Attempt&) { return Outcome::failure("no"); });
  std::vector<DependencyResult> seen;
  engine->handle("sum", [&](const Attempt& attempt) {
    auto results = attempt.dependencies();
    if (!results) return Outcome::failure(results.error().message);
    seen = std::move(*results);
    return Outcome::success();
  });
  const TaskId one = submit({.kind = "part", .payload = "one"});
  const TaskId two = submit({.kind = "broken"});
  const TaskId sum = submit({.kind = "sum",
                             .dependencies = {two, one},
                             .conditions = {DependencyCondition::end, DependencyCondition::end}});
  ASSERT_EQ(wait_until_ended(sum).state, TaskState::succeeded) << outcome(sum).message;
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].id, two);
  EXPECT_EQ(seen[0].state, TaskState::failed);
  EXPECT_EQ(seen[1].id, one);
  EXPECT_EQ(seen[1].result, "result of one");
}

TEST_F(EngineAttempts, OfCommandsFindThoseResultsInAFile) {
  open();
  const TaskId one = submit_shell("echo one");
  const TaskId two = submit_shell("cat \"$ALMANAC_DEPENDENCIES\"", {.dependencies = {one}});
  ASSERT_EQ(wait_until_ended(two).state, TaskState::succeeded) << outcome(two).output;
  EXPECT_EQ(outcome(two).output, R"([{"id":1,"state":"succeeded","result":"","output":"one\n"}])");
  const TaskId alone = submit_shell("test -z \"$ALMANAC_DEPENDENCIES\"");
  EXPECT_EQ(wait_until_ended(alone).state, TaskState::succeeded);
}

TEST_F(EngineAttempts, WhoseWorkerDiedAreRescuedAtOnceAndNoMoreThanThreeTimes) {
  open();
  const auto began = std::chrono::steady_clock::now();
  const TaskId id = submit_shell("echo $ALMANAC_ATTEMPT; kill -SEGV $$");
  EXPECT_EQ(wait_until_ended(id).state, TaskState::failed);
  EXPECT_EQ(history(id),
            "TaskEnqueued TaskStarted TaskHandedBack TaskStarted TaskHandedBack TaskStarted "
            "TaskFailed");
  EXPECT_EQ(outcome(id).output, "3\n");
  EXPECT_EQ(outcome(id).message, "crash 3 of 3: ended by SIGSEGV");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
}

// A timeout and a cancel are signals of our own.
TEST_F(EngineAttempts, ThatWeEndDoNotCrash) {
  open_on_manual_clock();
  const TaskId id = submit_shell("sleep 1000", {.timeout = 1s});
  wait_for(id, TaskState::running);
  advance(2s);
  EXPECT_EQ(wait_until_ended(id).state, TaskState::failed);
  EXPECT_TRUE(engine->state()->tasks.crashes.empty());
}

TEST_F(EngineAttempts, LeaveTheStateWhenTheyEndedLongAgo) {
  open_on_manual_clock();
  engine->handle("work", [](const Attempt&) { return Outcome::success(); });
  const TaskId id = submit({.kind = "work", .idempotency_key = "one"});
  wait_until_ended(id);
  advance(71h);
  EXPECT_NE(engine->state()->tasks.all.find(id), nullptr);
  advance(2h);
  EXPECT_EQ(engine->state()->tasks.all.find(id), nullptr);
  EXPECT_EQ(engine->state()->tasks.live(), 0U);
  auto cancelled = engine->cancel(id);
  ASSERT_FALSE(cancelled.has_value());
  EXPECT_EQ(cancelled.error().message, "task 1 ended long ago and is no longer kept");
  EXPECT_FALSE(engine->submit(TaskSpec{.kind = "work", .idempotency_key = "one"})->existed());
}

TEST_F(EngineAttempts, AreForgottenNoSoonerThanAMinuteAfterTheStart) {
  open_on_manual_clock();
  engine->handle("work", [](const Attempt&) { return Outcome::success(); });
  wait_until_ended(submit({.kind = "work", .idempotency_key = "one"}));
  engine->stop_at_once();
  close();
  clock.advance(100h);
  open_on_manual_clock();
  EXPECT_TRUE(engine->submit(TaskSpec{.kind = "work", .idempotency_key = "one"})->existed());
}

}  // namespace
}  // namespace almanac::test
