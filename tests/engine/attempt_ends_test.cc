// What the end of an attempt comes to beside success and a retry: permanent failures, snoozes,
// crashes; what it tells before; and tasks that expire.
#include <almanac/engine/limits.h>
#include <almanac/engine/tasks.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

#include <utility>

namespace almanac::test {
namespace {

// A desk with one task that runs.
struct RunningAttempt {
  explicit RunningAttempt(TaskSpec spec) : id(desk.submit(std::move(spec))) { desk.start(); }
  Result<Answer> end(AttemptOutcome outcome) {
    return desk.ask(FinishAttempt{id, desk.token(desk.task(id).lease), std::move(outcome)});
  }
  bool crash() {
    auto answer = end({.status = AttemptStatus::signaled, .code = 11, .crashed = true});
    return answer.has_value() && desk.start().size() == 1;
  }

  Desk desk;
  TaskId id;
};

TEST(AttemptEnds, APermanentFailureIsTheLast) {
  RunningAttempt running({.kind = "work", .attempts_max = 5});
  ASSERT_TRUE(running.end({.status = AttemptStatus::error, .permanent = true}).has_value());
  EXPECT_EQ(running.desk.task(running.id).state, TaskState::failed);
  EXPECT_EQ(running.desk.task(running.id).failures, 1U);
}

TEST(AttemptEnds, AFailureSaysWhenTheNextAttemptBegins) {
  RunningAttempt running({.kind = "work", .attempts_max = 3});
  Desk& desk = running.desk;
  const Time later = desk.now + std::chrono::hours(7);
  ASSERT_TRUE(running.end({.status = AttemptStatus::error, .result = "why", .retry_at = later}));
  EXPECT_EQ(desk.task(running.id).state, TaskState::delayed);
  EXPECT_EQ(desk.task(running.id).run_at, later);
  EXPECT_EQ(desk.task(running.id).failures, 1U);
  desk.now = later;
  desk.come_due();
  ASSERT_EQ(desk.start(), std::vector{running.id});
  // A time that is over means at once.
  ASSERT_TRUE(running.end({.status = AttemptStatus::error, .retry_at = later - Duration(1)}));
  EXPECT_EQ(desk.task(running.id).run_at, later);
  desk.come_due();
  ASSERT_EQ(desk.start(), std::vector{running.id});
  ASSERT_TRUE(running.end({.status = AttemptStatus::error, .retry_at = later}));
  EXPECT_EQ(desk.task(running.id).state, TaskState::failed);
}

TEST(AttemptEnds, ASnoozeDelaysTheTaskAndCountsForNothing) {
  RunningAttempt running({.kind = "work"});
  Desk& desk = running.desk;
  const Time later = desk.now + std::chrono::minutes(5);
  ASSERT_TRUE(running.end({.status = AttemptStatus::error, .snooze_until = later}).has_value());
  EXPECT_EQ(desk.task(running.id).state, TaskState::delayed);
  EXPECT_EQ(desk.task(running.id).run_at, later);
  EXPECT_EQ(desk.task(running.id).failures, 0U);
  desk.now = later;
  desk.come_due();
  EXPECT_EQ(desk.start(), std::vector{running.id});
}

TEST(AttemptEnds, ASnoozeOfATaskToldToStopCancelsIt) {
  RunningAttempt running({.kind = "work"});
  running.desk.cancel(running.id);
  ASSERT_TRUE(running.end({.snooze_until = running.desk.now + Duration(1)}).has_value());
  EXPECT_EQ(running.desk.task(running.id).state, TaskState::cancelled);
}

TEST(AttemptEnds, CrashesAreNoFailuresUntilThereAreThree) {
  RunningAttempt running({.kind = "work"});
  EXPECT_TRUE(running.crash());
  EXPECT_TRUE(running.crash());
  EXPECT_EQ(running.desk.task(running.id).failures, 0U);
  EXPECT_FALSE(running.crash());
  EXPECT_EQ(running.desk.task(running.id).state, TaskState::failed);
  EXPECT_EQ(*running.desk.state().tasks.crashes.find(running.id), 3U);
}

TEST(AttemptEnds, ATaskSaysHowManyCrashesItMayHave) {
  RunningAttempt running({.kind = "work", .crashes_max = 1});
  EXPECT_FALSE(running.crash());
  EXPECT_EQ(running.desk.task(running.id).state, TaskState::failed);
}

TEST(AttemptEnds, TheDeathOfTheEngineIsACrash) {
  RunningAttempt running({.kind = "work", .crashes_max = 2});
  const StartEngine start{.version = "next", .process_id = 2, .slots = 4, .seed = 1};
  ASSERT_TRUE(running.desk.ask(start).has_value());
  EXPECT_EQ(running.desk.task(running.id).state, TaskState::ready);
  running.desk.start();
  ASSERT_TRUE(running.desk.ask(start).has_value());
  EXPECT_EQ(running.desk.task(running.id).state, TaskState::failed);
  EXPECT_EQ(running.desk.task(running.id).last_status, AttemptStatus::crashed);
}

TEST(Progress, IsKeptOnceASecond) {
  RunningAttempt running({.kind = "work"});
  Desk& desk = running.desk;
  const auto tell = [&](std::uint16_t permille) {
    const auto answer = desk.ask(ReportProgress{
        .id = running.id, .token = desk.token(desk.task(running.id).lease), .permille = permille});
    EXPECT_TRUE(answer.has_value());
    return desk.last().size();
  };
  EXPECT_EQ(tell(100), 1U);
  EXPECT_EQ(tell(200), 0U);
  desk.now += limits::progress_interval;
  EXPECT_EQ(tell(300), 1U);
  EXPECT_EQ(desk.state().tasks.progress.find(running.id)->permille, 300);
  ASSERT_TRUE(running.end({}).has_value());
  EXPECT_TRUE(desk.state().tasks.progress.empty());
}

TEST(Expiry, CancelsATaskThatHasNotBegunAndNeverOneThatRuns) {
  Desk desk({.slots = 1});
  const Time expires = desk.now + std::chrono::minutes(1);
  const TaskId runs = desk.submit({.kind = "work", .expires_at = expires});
  desk.start();
  const TaskId ready = desk.submit({.kind = "work", .expires_at = expires});
  const TaskId waits =
      desk.submit({.kind = "work", .dependencies = {ready}, .expires_at = expires});
  desk.now = expires - Duration(1);
  EXPECT_TRUE(desk.come_due().empty());
  desk.now = expires;
  desk.come_due();
  EXPECT_EQ(desk.task(runs).state, TaskState::running);
  EXPECT_EQ(desk.task(ready).state, TaskState::cancelled);
  EXPECT_EQ(desk.task(waits).state, TaskState::cancelled);
  EXPECT_TRUE(desk.state().tasks.expiring.empty());
}

TEST(Expiry, OfATaskThatWasSubmittedBeforeDoesNotKeepItFromBeingFound) {
  Desk desk;
  const TaskSpec spec{
      .kind = "work", .expires_at = desk.now + Duration(1), .idempotency_key = "one"};
  const TaskId id = desk.submit(spec);
  desk.now += std::chrono::hours(1);
  EXPECT_EQ(desk.submit_all({spec}).front().id, id);
}

TEST(Expiry, BeforeATaskCouldBeginIsRefused) {
  Desk desk;
  const auto answer = desk.ask(EnqueueTasks{{{.kind = "work", .expires_at = desk.now}}});
  EXPECT_EQ(error_of(answer).code, ErrorCode::invalid);
  const auto late = desk.ask(EnqueueTasks{{{.kind = "work",
                                            .run_at = desk.now + std::chrono::hours(2),
                                            .expires_at = desk.now + std::chrono::hours(1)}}});
  EXPECT_EQ(error_of(late).code, ErrorCode::invalid);
}

}  // namespace
}  // namespace almanac::test
