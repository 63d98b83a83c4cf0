// Deciding what becomes of tasks: cancelling, the ends of attempts, retries, and what time brings.
#include <almanac/engine/limits.h>
#include <almanac/engine/tasks.h>
#include <almanac/projections/backoff.h>
#include <almanac/tests/support/desk.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace almanac::test {
namespace {

template <class Body>
const Body& only(const Desk& desk) {
  EXPECT_EQ(desk.last().size(), 1U);
  return std::get<Body>(desk.last().front().body);
}

// A desk with one task that runs.
struct Running {
  explicit Running(TaskSpec spec = {.kind = "work"}) : id(desk.submit(std::move(spec))) {
    desk.start();
    lease = desk.task(id).lease;
  }
  Error refused(Command command) {
    State before = desk.state();
    auto error = error_of(desk.ask(std::move(command)));
    EXPECT_EQ(digest(desk.state()), digest(before));
    return error;
  }

  [[nodiscard]] FencingToken token() const { return desk.token(lease); }

  Desk desk;
  TaskId id;
  Lease lease;
};

// --- Cancelling ---------------------------------------------------------------------------------

TEST(Cancel, EndsATaskThatDoesNotRun) {
  Desk desk;
  TaskId ready = desk.submit({.kind = "work"});
  TaskId delayed = desk.submit({.kind = "work", .run_at = desk.now + Duration(1)});
  TaskId waiting = desk.submit({.kind = "work", .dependencies = {ready}});
  for (TaskId id : {waiting, delayed, ready}) {
    auto answer = desk.ask(CancelTask{id, "not needed"});
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(std::get<CancelOutcome>(*answer), CancelOutcome::cancelled);
    EXPECT_EQ(only<TaskCancelled>(desk).reason, "not needed");
    EXPECT_EQ(only<TaskCancelled>(desk).dependency, TaskId());
    EXPECT_EQ(desk.task(id).state, TaskState::cancelled);
  }
}

TEST(Cancel, TellsARunningTaskToStopOnce) {
  Running running;
  for (std::size_t events : {1U, 0U}) {
    auto answer = running.desk.ask(CancelTask{running.id, "enough"});
    EXPECT_EQ(std::get<CancelOutcome>(*answer), CancelOutcome::stopping);
    EXPECT_EQ(running.desk.last().size(), events);
    EXPECT_EQ(running.desk.task(running.id).state, TaskState::cancelling);
  }
}

TEST(Cancel, IsFinalHoweverTheAttemptEnds) {
  for (auto status : {AttemptStatus::succeeded, AttemptStatus::error, AttemptStatus::timed_out}) {
    Running running({.kind = "work", .attempts_max = 5});
    running.desk.cancel(running.id);
    running.desk.finish(running.id, status);
    EXPECT_EQ(only<TaskCancelled>(running.desk).end.status, status);
    EXPECT_EQ(running.desk.task(running.id).state, TaskState::cancelled);
  }
  Running handed_back;
  handed_back.desk.cancel(handed_back.id);
  ASSERT_TRUE(handed_back.desk.ask(HandBackAttempt{handed_back.id, handed_back.token()}));
  EXPECT_EQ(handed_back.desk.task(handed_back.id).state, TaskState::cancelled);
}

TEST(Cancel, OfAnUnknownOrAnEndedTaskIsRefused) {
  Running running;
  EXPECT_EQ(running.refused(CancelTask{TaskId(9), ""}).code, ErrorCode::not_found);
  EXPECT_EQ(running.refused(CancelTask{TaskId(), ""}).code, ErrorCode::not_found);
  running.desk.finish(running.id, AttemptStatus::succeeded);
  const Error refused = running.refused(CancelTask{running.id, ""});
  EXPECT_EQ(refused.code, ErrorCode::conflict);
  EXPECT_EQ(refused.message, "task 1 has already succeeded");

  Running cancelled;
  cancelled.desk.cancel(cancelled.id);
  cancelled.desk.finish(cancelled.id, AttemptStatus::error);
  EXPECT_EQ(cancelled.refused(CancelTask{cancelled.id, ""}).message,
            "task 1 was already cancelled");
}

// --- The end of an attempt ----------------------------------------------------------------------

TEST(Finish, KeepsEverythingTheAttemptLeft) {
  Running running;
  AttemptOutcome outcome{.status = AttemptStatus::exited,
                         .code = 3,
                         .output_dropped = 17,
                         .message = "exit code 3",
                         .result = "r",
                         .output = "o"};
  ASSERT_TRUE(running.desk.ask(FinishAttempt{running.id, running.token(), outcome}).has_value());
  const auto& failed = only<TaskFailed>(running.desk);
  EXPECT_EQ(failed.lease, running.lease);
  EXPECT_EQ(failed.end.code, 3);
  EXPECT_EQ(failed.end.output_dropped, 17U);
  EXPECT_EQ(failed.end.message, "exit code 3");
  EXPECT_EQ(as_text(failed.end.result), "r");
  EXPECT_EQ(as_text(failed.end.output), "o");
}

TEST(Finish, WithALeaseThatIsNotTheTasksIsRefusedAndLeavesNothing) {
  Running running({.kind = "work", .attempts_max = 3});
  for (Lease lease : {Lease(), Lease(running.lease.value - 1), running.lease.next()}) {
    for (auto status : {AttemptStatus::succeeded, AttemptStatus::error}) {
      auto error =
          running.refused(FinishAttempt{running.id, running.desk.token(lease), {.status = status}});
      EXPECT_EQ(error.code, ErrorCode::refused);
    }
    EXPECT_EQ(running.refused(HandBackAttempt{running.id, running.desk.token(lease)}).code,
              ErrorCode::refused);
  }
  EXPECT_EQ(running.refused(FinishAttempt{TaskId(9), running.token(), {}}).code,
            ErrorCode::refused);
}

// A log that was restored gives the same leases again.
TEST(Finish, WithATokenOfAnotherTimelineIsRefusedAndLeavesNothing) {
  Running running;
  for (const Timeline& timeline : {Timeline{}, Timeline{std::byte{8}}}) {
    const FencingToken token{timeline, running.lease};
    EXPECT_EQ(running.refused(FinishAttempt{running.id, token, {}}).code, ErrorCode::refused);
    EXPECT_EQ(running.refused(HandBackAttempt{running.id, token}).code, ErrorCode::refused);
  }
}

TEST(Finish, OfAnEarlierAttemptIsRefusedWhileALaterOneRuns) {
  Running running;
  ASSERT_TRUE(running.desk.ask(HandBackAttempt{running.id, running.token()}).has_value());
  running.desk.start();
  ASSERT_GT(running.desk.task(running.id).lease, running.lease);
  EXPECT_EQ(running.refused(FinishAttempt{running.id, running.token(), {}}).code,
            ErrorCode::refused);
  running.desk.finish(running.id, AttemptStatus::succeeded);
  EXPECT_EQ(running.desk.task(running.id).state, TaskState::succeeded);
}

TEST(Finish, TwiceIsRefusedTheSecondTime) {
  Running running;
  running.desk.finish(running.id, AttemptStatus::succeeded);
  EXPECT_EQ(running.refused(FinishAttempt{running.id, running.token(), {}}).code,
            ErrorCode::refused);
}

TEST(Finish, TriesAgainUntilTheAttemptsAreUsedUp) {
  Running running({.kind = "work", .attempts_max = 3});
  Desk& desk = running.desk;
  for (std::uint32_t failures = 1; failures <= 2; ++failures) {
    desk.finish(running.id, AttemptStatus::error);
    EXPECT_EQ(desk.task(running.id).state, TaskState::delayed);
    EXPECT_EQ(desk.task(running.id).failures, failures);
    desk.now = desk.task(running.id).run_at;
    desk.come_due();
    desk.start();
  }
  desk.finish(running.id, AttemptStatus::error);
  EXPECT_EQ(desk.task(running.id).state, TaskState::failed);
  EXPECT_EQ(desk.task(running.id).attempts, 3U);
}

TEST(Finish, DoesNotCountAttemptsThatWereHandedBack) {
  Running running({.kind = "work", .attempts_max = 2});
  Desk& desk = running.desk;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(
        desk.ask(HandBackAttempt{running.id, desk.token(desk.task(running.id).lease)}).has_value());
    EXPECT_EQ(only<TaskHandedBack>(desk).reason, HandBackReason::stopping);
    desk.start();
  }
  desk.finish(running.id, AttemptStatus::error);
  EXPECT_EQ(desk.task(running.id).state, TaskState::delayed);
  EXPECT_EQ(desk.task(running.id).attempts, 6U);
  EXPECT_EQ(desk.task(running.id).failures, 1U);
}

// --- Backoff ------------------------------------------------------------------------------------

TEST(Backoff, WritesIntoTheEventWhenTheNextAttemptMayBegin) {
  Running running({.kind = "work",
                   .attempts_max = 3,
                   .backoff = {std::chrono::seconds(10), std::chrono::seconds(100)}});
  running.desk.finish(running.id, AttemptStatus::error);
  auto delay = only<TaskAttemptFailed>(running.desk).retry_at - running.desk.now;
  EXPECT_EQ(delay, retry_delay({std::chrono::seconds(10), std::chrono::seconds(100)},
                               {.seed = 42, .id = running.id, .failures = 1}));
  EXPECT_EQ(running.desk.task(running.id).run_at, running.desk.now + delay);
}

// --- What time brings ---------------------------------------------------------------------------

TEST(Due, MakesDelayedTasksReadyWhenTheirTimeHasComeAndNotBefore) {
  Desk desk;
  TaskId task = desk.submit({.kind = "work", .run_at = desk.now + Duration(2)});
  desk.now += Duration(1);
  EXPECT_TRUE(desk.come_due().empty());
  desk.now += Duration(1);
  EXPECT_EQ(desk.come_due().size(), 1U);
  EXPECT_EQ(desk.task(task).state, TaskState::ready);
  EXPECT_TRUE(desk.come_due().empty());
}

TEST(Due, BringsNoMoreThanItsLimitAtOnce) {
  Desk desk;
  std::vector<TaskSpec> specs(limits::due_per_turn + 1,
                              TaskSpec{.kind = "work", .run_at = desk.now + Duration(1)});
  desk.submit_all(std::move(specs));
  desk.now += Duration(1);
  EXPECT_EQ(desk.come_due().size(), limits::due_per_turn);
  EXPECT_EQ(desk.come_due().size(), 1U);
  EXPECT_TRUE(desk.come_due().empty());
}

void make_urgent(Desk& desk, std::string queue) {
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = std::move(queue), .policy = QueuePolicy::urgency}));
}

TEST(Rerank, MovesWhatTimeHasMadeMoreUrgentBeforeAnythingStarts) {
  Desk desk({.slots = 1});
  make_urgent(desk, "default");
  desk.submit({.kind = "work", .priority = 1});
  const TaskId pressing =
      desk.submit({.kind = "work", .deadline = desk.now + std::chrono::hours(48)});
  EXPECT_TRUE(desk.come_due().empty());
  desk.now += std::chrono::hours(47);
  desk.come_due();
  EXPECT_EQ(only<TasksReranked>(desk).through, desk.now);
  EXPECT_TRUE(desk.come_due().empty()) << "it has been done";
  EXPECT_EQ(desk.start(), std::vector{pressing});
}

TEST(Rerank, KnowsWhatBecomesReadyInTheSameTurn) {
  Desk desk({.slots = 1});
  make_urgent(desk, "default");
  const Time due = desk.now + std::chrono::hours(1);
  desk.submit({.kind = "work", .priority = 1, .run_at = due});
  const TaskId late = desk.submit({.kind = "work", .run_at = due, .deadline = desk.now});
  desk.now = due;
  EXPECT_EQ(desk.come_due().size(), 3U);
  EXPECT_EQ(desk.start(), std::vector{late});
}

TEST(Rerank, OfManyComesInBoundedTurns) {
  constexpr std::size_t width = limits::reranked_per_turn + 7;
  Desk desk;
  make_urgent(desk, "default");
  const Time deadline = desk.now + std::chrono::hours(48);
  desk.submit_all(std::vector<TaskSpec>(width, {.kind = "work", .deadline = deadline}));
  desk.now = deadline - std::chrono::hours(24);  // the same moment for all of them
  for (const TaskId last : {TaskId(limits::reranked_per_turn), TaskId()}) {
    desk.come_due();
    EXPECT_EQ(only<TasksReranked>(desk).last, last);
  }
  EXPECT_TRUE(desk.come_due().empty());
}

TEST(Doom, CancelsWhatDependsOnAFailureAndSaysWhy) {
  Running running;
  Desk& desk = running.desk;
  TaskId dependent = desk.submit({.kind = "work", .dependencies = {running.id}});
  desk.finish(running.id, AttemptStatus::error);
  desk.come_due();
  const auto& cancelled = only<TaskCancelled>(desk);
  EXPECT_EQ(cancelled.id, dependent);
  EXPECT_EQ(cancelled.dependency, running.id);
  EXPECT_EQ(cancelled.reason, "depends on task 1, which failed");
  TaskId late = desk.submit({.kind = "work", .dependencies = {dependent}});
  desk.come_due();
  EXPECT_EQ(only<TaskCancelled>(desk).id, late);
  EXPECT_EQ(only<TaskCancelled>(desk).reason, "depends on task 2, which was cancelled");
}

TEST(Doom, RunsDownAChainOneLevelATime) {
  constexpr std::uint64_t length = 300;
  Desk desk;
  std::vector<TaskSpec> chain;
  for (std::size_t i = 0; i < length; ++i) {
    chain.push_back({.kind = "work"});
    if (i > 0) chain.back().dependencies.emplace_back(InBatch{i - 1});
  }
  desk.submit_all(std::move(chain));
  desk.cancel(TaskId(1));
  for (std::uint64_t id = 2; id <= length; ++id) {
    EXPECT_EQ(desk.come_due().size(), 1U);
    EXPECT_EQ(desk.task(TaskId(id)).state, TaskState::cancelled);
  }
  EXPECT_TRUE(desk.come_due().empty());
  EXPECT_EQ(desk.state().tasks.live(), 0U);
}

TEST(Doom, OfManyComesInBoundedTurns) {
  constexpr std::size_t width = 2 * limits::doomed_per_turn + 5;
  Desk desk;
  std::vector<TaskSpec> specs(width + 1, {.kind = "work", .dependencies = {InBatch{0}}});
  specs.front().dependencies.clear();
  desk.submit_all(std::move(specs));
  desk.cancel(TaskId(1));
  std::size_t cancelled = 0;
  for (std::size_t turn = 0; turn < 3; ++turn) {
    auto events = desk.come_due().size();
    EXPECT_LE(events, limits::doomed_per_turn);
    cancelled += events;
  }
  EXPECT_EQ(cancelled, width);
  EXPECT_EQ(desk.state().tasks.live(), 0U);
}

// --- In general ---------------------------------------------------------------------------------

// Whatever is asked in whatever order: what is decided applies (the desk checks), a task has one
// lease at most, and when nothing more is asked for everything ends.
RC_GTEST_PROP(Decisions, AlwaysApplyAndLetEverythingEnd, ()) {
  Desk desk({.slots = *rc::gen::inRange<std::uint32_t>(1, 4)});
  auto steps = *rc::gen::container<std::vector<std::pair<std::uint8_t, std::uint8_t>>>(
      60, rc::gen::pair(rc::gen::arbitrary<std::uint8_t>(), rc::gen::arbitrary<std::uint8_t>()));
  auto any_task = [&](std::uint8_t draw) {
    return TaskId(draw % (desk.state().tasks.last.value + 1));
  };
  for (auto [what, draw] : steps) {
    TaskSpec spec{.kind = "work", .attempts_max = static_cast<std::uint16_t>(draw % 3 + 1)};
    if (draw % 4 == 1) spec.run_at = desk.now + Duration(draw);
    if (draw % 2 == 1 && any_task(draw)) spec.dependencies.emplace_back(any_task(draw));
    const Task* task = desk.state().tasks.all.find(any_task(draw));
    Lease lease = task == nullptr ? Lease(draw) : task->lease;
    auto status = static_cast<AttemptStatus>(draw % attempt_status_count);
    if (what % 8 == 0) desk.submit(spec);
    if (what % 8 == 1) (void)desk.ask(CancelTask{any_task(draw), ""});
    if (what % 8 == 2) (void)desk.ask(HandBackAttempt{any_task(draw), desk.token(lease)});
    if (what % 8 == 3) desk.now += Duration(draw);
    if (what % 8 == 4) desk.come_due();
    if (what % 8 == 5) desk.start();
    if (what % 8 >= 6)
      (void)desk.ask(FinishAttempt{any_task(draw), desk.token(lease), {.status = status}});
    RC_ASSERT(check_orders(desk.state()) == "");
    RC_ASSERT(desk.state().tasks.running.size() <= desk.state().engine.slots);
  }
  for (int round = 0; desk.state().tasks.live() > 0; ++round) {
    RC_ASSERT(round < 1000);
    desk.now += std::chrono::hours(1);
    desk.come_due();
    desk.start();
    std::vector<TaskId> running;
    for (const RunningKey& key : desk.state().tasks.running) running.push_back(key.id);
    for (TaskId id : running) desk.finish(id, AttemptStatus::error);
  }
}

}  // namespace
}  // namespace almanac::test
