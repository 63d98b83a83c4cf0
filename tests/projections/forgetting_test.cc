// Tasks that leave the state: never a live one, never one that another still needs, and all that
// stood for them with them.
#include <almanac/projections/invariants.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <array>

namespace almanac::test {
namespace {

void run(Story& story, std::uint64_t id) {
  ASSERT_TRUE(story.start(id));
  ASSERT_TRUE(story.succeed(id));
}

void expect_sound(const Story& story) {
  EXPECT_EQ(check_orders(story.state()), "");
  const auto broken = broken_invariants(story.state());
  EXPECT_TRUE(broken.empty()) << broken.front();
}

TEST(Forgetting, TakesAllThatStoodForATaskWithIt) {
  Story story;
  story.enqueue({.id = 1, .tags = {"red"}, .key = "one"});
  story.enqueue({.id = 2,
                 .dependencies = {1},
                 .conditions = {DependencyCondition::end},
                 .keeps_dependencies = true,
                 .expires_at = story.now() + std::chrono::hours(1),
                 .tags = {"red", "blue"},
                 .key = "two"});
  run(story, 1);
  ASSERT_TRUE(story.start(2));
  ASSERT_TRUE(story.crash(2, 1));
  run(story, 2);
  ASSERT_TRUE(story.forget({2, 1}));
  const Tasks& tasks = story.tasks();
  EXPECT_TRUE(tasks.all.empty());
  EXPECT_TRUE(tasks.tagged.empty());
  EXPECT_TRUE(tasks.keys.empty());
  EXPECT_TRUE(tasks.terms.empty());
  EXPECT_TRUE(tasks.crashes.empty());
  EXPECT_TRUE(tasks.needed_by.empty());
  EXPECT_EQ(tasks.last, TaskId(2));
  expect_sound(story);
}

TEST(Forgetting, TakesWhatATaskAskedForAndItsPlaceAmongThoseOfItsOwner) {
  Story story;
  const std::array demands = {Demand{"memory", 4}};
  story.tell(QueueConfigured{.queue = "default", .policy = QueuePolicy::fair});
  ASSERT_TRUE(story.tell(TaskEnqueued{.id = TaskId(1),
                                      .kind = "work",
                                      .queue = "default",
                                      .owner = "ann",
                                      .demands = DemandListView(demands)}));
  ASSERT_FALSE(story.tasks().demands.empty());
  run(story, 1);
  ASSERT_TRUE(story.forget({1}));
  EXPECT_TRUE(story.tasks().demands.empty());
  EXPECT_TRUE(story.tasks().in_use.empty());
  EXPECT_TRUE(story.tasks().ranking.tags.empty());
  expect_sound(story);
}

// "Retention removing a waiting task".
TEST(Forgetting, NeverTakesATaskThatHasNotEnded) {
  for (bool waits : {true, false}) {
    Story story;
    story.enqueue({.id = 1});
    story.enqueue({.id = 2, .dependencies = {1}});
    const std::uint64_t subject = waits ? 2 : 1;
    EXPECT_FALSE(story.forget({subject}));
    EXPECT_NE(story.tasks().all.find(TaskId(subject)), nullptr);
  }
}

TEST(Forgetting, NeverTakesATaskThatAnotherOneWaitsFor) {
  Story story;
  story.enqueue({.id = 1});
  story.enqueue(
      {.id = 2, .dependencies = {1}, .conditions = {DependencyCondition::success_in_the_end}});
  ASSERT_TRUE(story.start(1) && story.fail(1));
  EXPECT_FALSE(story.forget({1}));
  ASSERT_TRUE(story.cancel(2));
  EXPECT_TRUE(story.forget({1}));
  expect_sound(story);
  EXPECT_TRUE(story.tasks().conditions.empty());
}

TEST(Forgetting, TakesNoTaskBeforeTheOneThatKeepsIt) {
  Story story;
  story.enqueue({.id = 1});
  story.enqueue({.id = 2, .dependencies = {1}, .keeps_dependencies = true});
  run(story, 1);
  EXPECT_FALSE(story.forget({1}));
  run(story, 2);
  EXPECT_FALSE(story.forget({1, 2}));
  EXPECT_EQ(story.tasks().all.size(), 2U);
  EXPECT_TRUE(story.forget({2, 1}));
  expect_sound(story);
}

TEST(Forgetting, TakesAllOfThemOrNone) {
  Story story;
  story.enqueue({.id = 1});
  story.enqueue({.id = 2, .tags = {"red"}, .key = "two"});
  run(story, 2);
  State before = story.state();
  EXPECT_FALSE(story.forget({2, 1}));
  ++before.ignored;
  before.position = story.state().position;
  before.time = story.state().time;
  EXPECT_EQ(digest(story.state()), digest(before));
}

TEST(Forgetting, LeavesTheKeysAndTagsOfOthers) {
  Story story;
  for (std::uint64_t id = 1; id <= 200; ++id) {
    story.enqueue({.id = id,
                   .tags = {"t" + std::to_string(id % 7), "all"},
                   .key = "key " + std::to_string(id)});
    if (id % 3 != 0) run(story, id);
  }
  std::vector<std::uint64_t> ids;
  for (std::uint64_t id = 200; id > 0; --id) {
    if (id % 3 != 0) ids.push_back(id);
  }
  ASSERT_TRUE(story.forget(ids));
  expect_sound(story);
  const Tasks& tasks = story.tasks();
  EXPECT_EQ(tasks.all.size(), 66U);
  EXPECT_EQ(tasks.keys.size(), 66U);
  EXPECT_EQ(tasks.tagged.size(), 132U);
  for (std::uint64_t id = 1; id <= 200; ++id) {
    const KeyedTask* keyed = tasks.keys.find("key " + std::to_string(id));
    EXPECT_EQ(keyed != nullptr, id % 3 == 0);
  }
  // A key that was forgotten stands for what is submitted next.
  story.enqueue({.id = 201, .key = "key 1"});
  EXPECT_EQ(tasks.keys.find("key 1")->id, TaskId(201));
}

}  // namespace
}  // namespace almanac::test
