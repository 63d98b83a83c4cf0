// Deciding what is asked of many tasks at once, and of queues and kinds.
#include <almanac/engine/changes.h>
#include <almanac/engine/limits.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

std::size_t changed(const Result<Answer>& answer) {
  EXPECT_TRUE(answer.has_value()) << (answer ? "" : answer.error().message);
  return answer ? std::get<Changed>(*answer).tasks : 0;
}

TaskId failed_task(Desk& desk) {
  const TaskId id = desk.submit({.kind = "work"});
  desk.start();
  desk.finish(id, AttemptStatus::error);
  return id;
}

TEST(Changes, RetryAFailedTaskWithAllItsAttempts) {
  Desk desk;
  const TaskId id = desk.submit({.kind = "work", .attempts_max = 2});
  for (int i = 0; i < 2; ++i) {
    desk.start();
    desk.finish(id, AttemptStatus::error);
    desk.now += std::chrono::hours(1);
    desk.come_due();
  }
  ASSERT_EQ(desk.task(id).state, TaskState::failed);
  EXPECT_EQ(changed(desk.ask(ChangeTasks{.ids = {id}, .change = TaskChange::retry})), 1U);
  ASSERT_EQ(desk.task(id).state, TaskState::ready);
  desk.start();
  desk.finish(id, AttemptStatus::error);
  EXPECT_EQ(desk.task(id).state, TaskState::delayed);
  EXPECT_EQ(desk.task(id).attempts, 3U);
}

TEST(Changes, AreAllOrNoneUnlessTheySkip) {
  Desk desk;
  const TaskId failed = failed_task(desk);
  const TaskId ready = desk.submit({.kind = "work"});
  ChangeTasks retry{.ids = {failed, ready, failed}, .change = TaskChange::retry};
  EXPECT_EQ(error_of(desk.ask(retry)).code, ErrorCode::conflict);
  EXPECT_EQ(desk.task(failed).state, TaskState::failed);
  retry.skips = true;
  EXPECT_EQ(changed(desk.ask(retry)), 1U);
  EXPECT_EQ(desk.task(failed).state, TaskState::ready);
  EXPECT_EQ(error_of(desk.ask(ChangeTasks{.ids = {TaskId(9)}})).code, ErrorCode::not_found);
  const std::vector<TaskId> many(limits::changes_max + 1, ready);
  EXPECT_EQ(error_of(desk.ask(ChangeTasks{.ids = many})).code, ErrorCode::invalid);
}

TEST(Changes, PauseWhatDoesNotRunUntilItIsResumed) {
  Desk desk({.slots = 1});
  const TaskId running = desk.submit({.kind = "work"});
  desk.start();
  const TaskId ready = desk.submit({.kind = "work"});
  const TaskId waiting = desk.submit({.kind = "work", .dependencies = {running}});
  EXPECT_EQ(changed(desk.ask(ChangeTasks{.ids = {ready, waiting}, .change = TaskChange::pause})),
            2U);
  EXPECT_EQ(changed(desk.ask(ChangeTasks{.ids = {ready}, .change = TaskChange::pause})), 0U);
  EXPECT_EQ(error_of(desk.ask(ChangeTasks{.ids = {running}, .change = TaskChange::pause})).code,
            ErrorCode::conflict);
  desk.finish(running, AttemptStatus::succeeded);
  EXPECT_TRUE(desk.start().empty());
  EXPECT_EQ(error_of(desk.ask(ReviewTasks{{ready}, ReviewDecision::run})).code,
            ErrorCode::conflict);
  EXPECT_EQ(changed(desk.ask(ChangeTasks{.ids = {ready, waiting}, .change = TaskChange::resume})),
            2U);
  EXPECT_EQ(desk.task(waiting).state, TaskState::ready);
  EXPECT_EQ(error_of(desk.ask(ChangeTasks{.ids = {ready}, .change = TaskChange::resume})).code,
            ErrorCode::conflict);
}

TEST(Changes, HastenDelayedTasksAlone) {
  Desk desk;
  const TaskId later = desk.submit({.kind = "work", .run_at = desk.now + std::chrono::hours(1)});
  const TaskId ready = desk.submit({.kind = "work"});
  EXPECT_EQ(changed(desk.ask(ChangeTasks{.ids = {later}, .change = TaskChange::hasten})), 1U);
  EXPECT_EQ(desk.task(later).state, TaskState::ready);
  EXPECT_EQ(error_of(desk.ask(ChangeTasks{.ids = {ready}, .change = TaskChange::hasten})).code,
            ErrorCode::conflict);
  EXPECT_EQ(desk.start().size(), 2U);
}

TEST(Changes, ForgetWhatHasEndedAndIsNotNeeded) {
  Desk desk;
  const TaskId failed = failed_task(desk);
  const TaskId ready = desk.submit({.kind = "work"});
  const TaskId waiting = desk.submit({.kind = "work",
                                      .dependencies = {failed},
                                      .conditions = {DependencyCondition::success_in_the_end}});
  ChangeTasks forget{.ids = {failed, ready}, .change = TaskChange::forget};
  EXPECT_EQ(error_of(desk.ask(forget)).code, ErrorCode::conflict);
  forget.skips = true;
  EXPECT_EQ(changed(desk.ask(forget)), 0U);
  desk.cancel(waiting);
  desk.cancel(ready);
  forget = {.ids = {failed, ready, waiting}, .change = TaskChange::forget};
  EXPECT_EQ(changed(desk.ask(forget)), 3U);
  EXPECT_EQ(desk.last().size(), 1U);
  EXPECT_EQ(desk.state().tasks.all.size(), 0U);
  EXPECT_EQ(error_of(desk.ask(forget)).code, ErrorCode::not_found);
}

TEST(Pauses, KeepAttemptsOfAQueueOrAKindFromBeginning) {
  Desk desk({.slots = 9});
  const TaskId one = desk.submit({.kind = "a", .queue = "x"});
  const TaskId two = desk.submit({.kind = "b", .queue = "x"});
  const TaskId three = desk.submit({.kind = "a", .queue = "y"});
  ASSERT_TRUE(desk.ask(PauseWork{PauseScope::queue, "x"}).has_value());
  ASSERT_TRUE(desk.ask(PauseWork{PauseScope::queue, "x"}).has_value());
  EXPECT_TRUE(desk.last().empty());
  EXPECT_EQ(desk.start(), std::vector{three});
  ASSERT_TRUE(desk.ask(PauseWork{PauseScope::kind, "b"}).has_value());
  ASSERT_TRUE(desk.ask(PauseWork{PauseScope::queue, "x", false}).has_value());
  EXPECT_EQ(desk.start(), std::vector{one});
  ASSERT_TRUE(desk.ask(PauseWork{PauseScope::kind, "b", false}).has_value());
  EXPECT_EQ(desk.start(), std::vector{two});
  EXPECT_EQ(error_of(desk.ask(PauseWork{PauseScope::queue, ""})).code, ErrorCode::invalid);
}

}  // namespace
}  // namespace almanac::test
