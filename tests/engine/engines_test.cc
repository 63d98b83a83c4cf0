// Deciding the start and the end of an engine.
#include <almanac/engine/engines.h>
#include <almanac/engine/limits.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

Command start_again(std::uint32_t slots) {
  return StartEngine{.version = "next", .process_id = 2, .slots = slots, .seed = 7};
}

TEST(StartEngine, RecordsWhoRuns) {
  Desk desk;
  ASSERT_TRUE(desk.ask(start_again(9)).has_value());
  const EngineInfo& engine = desk.state().engine;
  EXPECT_TRUE(engine.running);
  EXPECT_EQ(engine.version, "next");
  EXPECT_EQ(engine.process_id, 2U);
  EXPECT_EQ(engine.slots, 9U);
  EXPECT_EQ(engine.seed, 7U);
  EXPECT_EQ(engine.starts, 2U);
}

TEST(StartEngine, TakesBackWhatADeadOneWasRunningAndNothingElse) {
  Desk desk;
  for (int i = 0; i < 6; ++i) desk.submit({.kind = "work"});
  desk.start();
  desk.cancel(TaskId(2));
  desk.finish(TaskId(3), AttemptStatus::succeeded);
  ASSERT_TRUE(desk.ask(start_again(4)).has_value());
  ASSERT_EQ(desk.last().size(), 4U);
  for (const Event& event : desk.last()) {
    const auto* back = std::get_if<TaskHandedBack>(&event.body);
    if (back != nullptr) {
      EXPECT_EQ(back->reason, HandBackReason::engine_died);
    }
  }
  EXPECT_EQ(desk.task(TaskId(1)).state, TaskState::ready);
  EXPECT_EQ(desk.task(TaskId(2)).state, TaskState::cancelled);
  EXPECT_EQ(desk.task(TaskId(3)).state, TaskState::succeeded);
  EXPECT_EQ(desk.task(TaskId(4)).state, TaskState::ready);
  EXPECT_TRUE(desk.state().tasks.running.empty());
}

TEST(StartEngine, TakesNoOrTooManySlotsForAMistake) {
  Desk desk;
  EXPECT_EQ(error_of(desk.ask(start_again(0))).code, ErrorCode::invalid);
  EXPECT_EQ(error_of(desk.ask(start_again(limits::slots_max + 1))).code, ErrorCode::invalid);
  EXPECT_TRUE(desk.ask(start_again(limits::slots_max)).has_value());
}

TEST(StopEngine, RecordsTheEnd) {
  Desk desk;
  ASSERT_TRUE(desk.ask(StopEngine{}).has_value());
  EXPECT_FALSE(desk.state().engine.running);
}

}  // namespace
}  // namespace almanac::test
