// An engine on a clock that a test turns: start times, retries, and deadlines.
#include <almanac/engine/tasks.h>
#include <almanac/projections/backoff.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/gate.h>

namespace almanac::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class EngineTime : public EngineTest {
 protected:
  // Opens an engine whose handler for "work" succeeds and one for "fails" that does not.
  void open_with_handlers(EngineOptions options = {}) {
    open_on_manual_clock(std::move(options));
    engine->handle("work", [](const Attempt&) { return Outcome::success(); });
    engine->handle("fails", [](const Attempt&) { return Outcome::failure("no"); });
  }
};

// --- Start times --------------------------------------------------------------------------------

TEST_F(EngineTime, StartsATaskAtItsTimeAndNotBefore) {
  open_with_handlers();
  TaskId id = submit({.kind = "work", .run_at = clock.now() + hours(3)});
  EXPECT_EQ(task(id).state, TaskState::delayed);
  advance(hours(3) - Duration(1));
  EXPECT_EQ(task(id).state, TaskState::delayed);
  advance(Duration(1));
  EXPECT_EQ(wait_until_ended(id).started_at, clock.now());
}

TEST_F(EngineTime, LetsATaskWaitForItsDependenciesAndThenForItsTime) {
  open_with_handlers();
  TaskId first = submit({.kind = "work", .run_at = clock.now() + hours(1)});
  TaskId second =
      submit({.kind = "work", .run_at = clock.now() + hours(2), .dependencies = {first}});
  TaskId third = submit({.kind = "work", .dependencies = {second}});
  advance(hours(1));
  wait_until_ended(first);
  EXPECT_EQ(task(second).state, TaskState::delayed);
  EXPECT_EQ(task(third).state, TaskState::waiting);
  advance(hours(1));
  EXPECT_EQ(wait_until_ended(third).state, TaskState::succeeded);
}

TEST_F(EngineTime, StartsWhatCameDueWhileNoEngineRan) {
  open_on_manual_clock();
  TaskId id = submit({.kind = "work", .run_at = clock.now() + hours(1)});
  close();
  clock.advance(hours(5));
  open_with_handlers();
  EXPECT_EQ(wait_until_ended(id).state, TaskState::succeeded);
}

TEST_F(EngineTime, NeverRunsBackwardsWhenTheClockDoes) {
  open_with_handlers();
  TaskId first = submit({.kind = "work"});
  Time ended_at = wait_until_ended(first).ended_at;
  clock.advance(-hours(1));
  TaskId second = submit({.kind = "work"});
  EXPECT_GE(wait_until_ended(second).enqueued_at, ended_at);
  EXPECT_EQ(engine->state()->ignored, 0U);
}

// The real clock, for once: a timer, and nothing else, starts the task.
TEST_F(EngineTime, NeedsNobodyToTurnTheLoop) {
  open();
  engine->handle("work", [](const Attempt&) { return Outcome::success(); });
  auto run_at = system_time() + std::chrono::milliseconds(30);
  TaskId id = submit({.kind = "work", .run_at = run_at});
  EXPECT_GE(wait_until_ended(id).started_at, run_at);
}

TEST_F(EngineTime, KeepsTheOrderUpToDateWithNobodyToTurnTheLoop) {
  open();
  ASSERT_TRUE(engine->configure_queue({.queue = "default", .policy = QueuePolicy::urgency}));
  const Time in_sight = system_time() + std::chrono::milliseconds(30);
  submit({.kind = "nobody runs this", .deadline = in_sight + hours(24)});
  EXPECT_TRUE(engine->wait(
      [&](const State& state) { return state.tasks.ranking.done.at >= in_sight; }, seconds(30)));
}

// --- Retries ------------------------------------------------------------------------------------

TEST_F(EngineTime, TriesAgainAfterTheDrawnWaitAndNotBefore) {
  constexpr std::uint64_t seed = 99;
  const Backoff backoff{seconds(10), seconds(15)};
  open_with_handlers({.seed = seed});
  TaskId id = submit({.kind = "fails", .attempts_max = 4, .backoff = backoff});
  for (std::uint32_t failures = 1; failures < 4; ++failures) {
    auto delay = retry_delay(backoff, {.seed = seed, .id = id, .failures = failures});
    EXPECT_EQ(wait_for(id, TaskState::delayed).run_at, clock.now() + delay);
    EXPECT_GE(delay, failures == 1 ? seconds(5) : Duration(7'500'000));
    advance(delay - Duration(1));
    EXPECT_EQ(task(id).failures, failures);
    EXPECT_EQ(task(id).state, TaskState::delayed);
    clock.advance(Duration(1));
    turn();
    EXPECT_TRUE(engine->wait(
        [&](const State& state) { return state.tasks.all.find(id)->failures > failures; }));
  }
  EXPECT_EQ(wait_until_ended(id).state, TaskState::failed);
  EXPECT_EQ(task(id).attempts, 4U);
}

TEST_F(EngineTime, DrawsTheSameWaitsFromTheSameSeed) {
  std::vector<Duration> delays;
  for (std::uint64_t seed : {5U, 5U, 6U}) {
    TempFolder other;
    auto opened = Engine::open(
        {.folder = other / "log", .slots = 1, .seed = seed, .clock = clock.function()});
    ASSERT_TRUE(opened.has_value());
    engine = std::move(*opened);
    engine->handle("fails", [](const Attempt&) { return Outcome::failure("no"); });
    TaskId id = submit({.kind = "fails", .attempts_max = 2});
    delays.push_back(wait_for(id, TaskState::delayed).run_at - clock.now());
    close();
  }
  EXPECT_EQ(delays[0], delays[1]);
  EXPECT_NE(delays[0], delays[2]);
}

TEST_F(EngineTime, KeepsWaitsAcrossARestart) {
  open_with_handlers();
  TaskId id = submit({.kind = "fails", .attempts_max = 2});
  Time run_at = wait_for(id, TaskState::delayed).run_at;
  open_with_handlers();
  EXPECT_EQ(task(id).run_at, run_at);
  EXPECT_EQ(task(id).failures, 1U);
  clock.advance(run_at - clock.now());
  turn();
  EXPECT_EQ(wait_until_ended(id).state, TaskState::failed);
}

TEST_F(EngineTime, CancelsATaskThatWaitsForAnotherAttempt) {
  open_with_handlers();
  TaskId id = submit({.kind = "fails", .attempts_max = 5});
  wait_for(id, TaskState::delayed);
  ASSERT_TRUE(engine->cancel(id).has_value());
  EXPECT_EQ(task(id).state, TaskState::cancelled);
  EXPECT_EQ(task(id).attempts, 1U);
}

// --- Deadlines and stops of handlers ------------------------------------------------------------

class HandlerStops : public EngineTest {
 protected:
  // A handler that waits at the gate and does not listen, and one that listens.
  void open_with_gate() {
    open_on_manual_clock({.slots = 2, .kill_grace = seconds(5)});
    engine->handle("deaf", [this](const Attempt&) {
      gate.pass();
      return Outcome::success("late");
    });
    engine->handle("listens", [this](const Attempt& attempt) {
      return gate.pass(attempt.stop) ? Outcome::success() : Outcome::failure("stopped");
    });
  }
  Gate gate;
};

TEST_F(HandlerStops, TimesOutAHandlerThatIgnoresItAndRefusesItsLateResult) {
  open_with_gate();
  TaskId id = submit({.kind = "deaf", .timeout = minutes(1)});
  gate.wait_for_arrivals(1);
  advance(minutes(1) - Duration(1));
  EXPECT_EQ(task(id).state, TaskState::running);
  advance(Duration(1));
  EXPECT_EQ(wait_until_ended(id).state, TaskState::failed);
  EXPECT_EQ(outcome(id).status, AttemptStatus::timed_out);
  gate.open();
  engine->stop();
  engine->wait_until_stopped();
  EXPECT_EQ(task(id).state, TaskState::failed);
  EXPECT_EQ(history(id), "TaskEnqueued TaskStarted TaskFailed");
}

TEST_F(HandlerStops, FencesTheLateResultOffFromTheNextAttempt) {
  open_on_manual_clock({.slots = 2});
  Gate first_gate;
  Gate second_gate;
  engine->handle("work", [&](const Attempt& attempt) {
    (attempt.number == 1 ? first_gate : second_gate).pass();
    return Outcome::success(std::to_string(attempt.number));
  });
  TaskId id = submit({.kind = "work",
                      .attempts_max = 2,
                      .backoff = {seconds(1), seconds(1)},
                      .timeout = minutes(1)});
  first_gate.wait_for_arrivals(1);
  advance(minutes(1));
  wait_for(id, TaskState::delayed);
  advance(seconds(1));
  second_gate.wait_for_arrivals(1);
  Lease second = task(id).lease;
  first_gate.open();
  // The stale result is in the mailbox before the next one when this handler has returned.
  engine->handle("other", [](const Attempt&) { return Outcome::success(); });
  wait_until_ended(submit({.kind = "other"}));
  EXPECT_EQ(task(id).lease, second);
  second_gate.open();
  EXPECT_EQ(outcome_at_end(id).result, "2");
  EXPECT_EQ(history(id),
            "TaskEnqueued TaskStarted TaskAttemptFailed TaskReadied TaskStarted TaskSucceeded");
}

TEST_F(HandlerStops, TellsAHandlerThatItsTimeIsUp) {
  open_with_gate();
  TaskId id = submit({.kind = "listens", .timeout = minutes(1)});
  gate.wait_for_arrivals(1);
  advance(minutes(1));
  EXPECT_EQ(outcome_at_end(id).status, AttemptStatus::timed_out);
}

TEST_F(HandlerStops, TellsAHandlerThatItIsCancelled) {
  open_with_gate();
  TaskId id = submit({.kind = "listens", .attempts_max = 9});
  gate.wait_for_arrivals(1);
  EXPECT_EQ(*engine->cancel(id), CancelOutcome::stopping);
  EXPECT_EQ(outcome_at_end(id).message, "stopped");
  EXPECT_EQ(task(id).state, TaskState::cancelled);
}

TEST_F(HandlerStops, GivesUpACancelledHandlerThatDoesNotListen) {
  open_with_gate();
  TaskId id = submit({.kind = "deaf"});
  gate.wait_for_arrivals(1);
  ASSERT_TRUE(engine->cancel(id).has_value());
  turn();  // answered first, carried out right after
  advance(seconds(5) - Duration(1));
  EXPECT_EQ(task(id).state, TaskState::cancelling);
  advance(Duration(1));
  EXPECT_EQ(wait_until_ended(id).state, TaskState::cancelled);
  gate.open();
}

TEST_F(HandlerStops, HoldsTheSlotOfACancelledTaskUntilItHasEnded) {
  open_with_gate();
  TaskId first = submit({.kind = "deaf"});
  submit({.kind = "deaf"});
  TaskId waiting = submit({.kind = "listens"});
  gate.wait_for_arrivals(2);
  ASSERT_TRUE(engine->cancel(first).has_value());
  turn();
  EXPECT_EQ(task(waiting).state, TaskState::ready);
  advance(seconds(5));
  wait_until_ended(first);
  gate.wait_for_arrivals(3);
  gate.open();
  EXPECT_EQ(wait_until_ended(waiting).state, TaskState::succeeded);
}

}  // namespace
}  // namespace almanac::test
