// Decisions about tasks under review.
#include <almanac/engine/engine.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/desk.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

// Tasks 1 to 4 are held: 1 had succeeded, 2 failed, 3 been cancelled, of 4 nothing is known. 5
// depends on 1, and 6 on 2; 7 is ready.
State held_state() {
  Story story;
  for (std::uint64_t id = 1; id <= 4; ++id) story.enqueue({.id = id});
  story.enqueue({.id = 5, .dependencies = {1}});
  story.enqueue({.id = 6, .dependencies = {2}});
  story.enqueue({.id = 7});
  story.hold(1, TaskOutcome::succeeded);
  story.hold(2, TaskOutcome::failed);
  story.hold(3, TaskOutcome::cancelled);
  story.start(4);
  story.hold(4);
  return story.state();
}

std::vector<TaskId> ids_held(std::initializer_list<std::uint64_t> numbers) {
  std::vector<TaskId> ids;
  for (std::uint64_t number : numbers) ids.emplace_back(number);
  return ids;
}

std::vector<TaskState> states_of(const Desk& desk) {
  std::vector<TaskState> states;
  for (std::uint64_t id = 1; id <= 7; ++id) states.push_back(desk.task(TaskId(id)).state);
  return states;
}

TEST(Review, StartsNoHeldTask) {
  Desk desk(held_state(), {.slots = 10});
  EXPECT_EQ(desk.start(), ids_held({7}));
  EXPECT_TRUE(desk.come_due().empty());
}

TEST(Review, LetsTasksRun) {
  Desk desk(held_state(), {.slots = 10});
  ASSERT_TRUE(desk.ask(ReviewTasks{ids_held({4, 1, 4}), ReviewDecision::run}));
  EXPECT_EQ(desk.start(), ids_held({1, 4, 7}));
  EXPECT_EQ(desk.task(TaskId(4)).attempts, 2U);
}

TEST(Review, SkipsTasksAsTheyHadEnded) {
  Desk desk(held_state(), {.slots = 10});
  ASSERT_TRUE(desk.ask(ReviewTasks{ids_held({1, 2, 3, 4}), ReviewDecision::skip}));
  desk.come_due();
  using enum TaskState;
  EXPECT_EQ(states_of(desk),
            (std::vector{succeeded, cancelled, cancelled, cancelled, ready, cancelled, ready}));
}

TEST(Review, AcceptsTasksAsDone) {
  Desk desk(held_state(), {.slots = 10});
  ASSERT_TRUE(desk.ask(ReviewTasks{ids_held({1, 2, 3, 4}), ReviewDecision::accept}));
  desk.come_due();
  using enum TaskState;
  EXPECT_EQ(states_of(desk),
            (std::vector{succeeded, succeeded, succeeded, succeeded, ready, ready, ready}));
}

TEST(Review, OfATaskThatIsNotHeldIsRefusedWithAllOthers) {
  Desk desk(held_state());
  const auto before = digest(desk.state());
  EXPECT_EQ(code_of(desk.ask(ReviewTasks{ids_held({1, 7}), ReviewDecision::run})), "conflict");
  EXPECT_EQ(code_of(desk.ask(ReviewTasks{ids_held({1, 99}), ReviewDecision::run})), "not_found");
  EXPECT_EQ(digest(desk.state()), before);
}

TEST(Review, IsOverWhenTheTaskIsCancelled) {
  Desk desk(held_state());
  desk.cancel(TaskId(1));
  EXPECT_EQ(code_of(desk.ask(ReviewTasks{ids_held({1}), ReviewDecision::accept})), "conflict");
  desk.come_due();
  EXPECT_EQ(desk.task(TaskId(5)).state, TaskState::cancelled);
}

// A task may be under review while what it depends on is.
TEST(Review, DecidesInAnyOrder) {
  for (const bool dependency_first : {true, false}) {
    Story story;
    story.enqueue({.id = 1});
    story.enqueue({.id = 2, .dependencies = {1}});
    story.hold(1, TaskOutcome::succeeded);
    story.hold(2, TaskOutcome::succeeded);
    Desk desk(story.state());
    const auto decide = [&](std::uint64_t id, ReviewDecision decision) {
      return desk.ask(ReviewTasks{ids_held({id}), decision}).has_value();
    };
    if (dependency_first) {
      ASSERT_TRUE(decide(1, ReviewDecision::skip));
      EXPECT_EQ(desk.task(TaskId(2)).state, TaskState::held);
      ASSERT_TRUE(decide(2, ReviewDecision::run));
      EXPECT_EQ(desk.start(), ids_held({2}));
    } else {
      ASSERT_TRUE(decide(2, ReviewDecision::run));
      EXPECT_EQ(desk.task(TaskId(2)).state, TaskState::waiting);
      EXPECT_TRUE(desk.start().empty());
      ASSERT_TRUE(decide(1, ReviewDecision::skip));
      EXPECT_EQ(desk.start(), ids_held({2}));
    }
    EXPECT_EQ(check_orders(desk.state()), "");
  }
}

}  // namespace
}  // namespace almanac::test
