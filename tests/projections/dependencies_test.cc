// What a task depends on and how that must have ended: every condition with every end (requirement
// A7), before and behind the end, and re-driven.
#include <almanac/projections/dependencies.h>
#include <almanac/projections/invariants.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <array>
#include <tuple>

namespace almanac::test {
namespace {

constexpr std::uint64_t dependency = 1;
constexpr std::uint64_t dependent = 2;

constexpr std::array all_ends = {TaskState::succeeded, TaskState::failed, TaskState::cancelled};

void end(Story& story, TaskState how) {
  if (how != TaskState::cancelled) story.start(dependency);
  if (how == TaskState::succeeded) story.succeed(dependency);
  if (how == TaskState::failed) story.fail(dependency);
  if (how == TaskState::cancelled) story.cancel(dependency);
}

void add_dependent(Story& story, DependencyCondition condition) {
  story.enqueue({.id = dependent, .dependencies = {dependency}, .conditions = {condition}});
}

// What becomes of the dependent: it runs, is doomed, or waits on.
enum class Fate { runs, doomed, waits };

Fate fate_of(const Story& story) {
  EXPECT_EQ(check_orders(story.state()), "");
  EXPECT_TRUE(broken_invariants(story.state()).empty());
  if (story.task(dependent).state == TaskState::ready) return Fate::runs;
  EXPECT_EQ(story.task(dependent).state, TaskState::waiting);
  return story.tasks().doomed.contains(TaskId(dependent)) ? Fate::doomed : Fate::waits;
}

struct Case {
  DependencyCondition condition;
  std::array<Fate, 3> fates;  // by all_ends
};

constexpr std::array cases = {
    Case{DependencyCondition::success, {Fate::runs, Fate::doomed, Fate::doomed}},
    Case{DependencyCondition::success_in_the_end, {Fate::runs, Fate::waits, Fate::doomed}},
    Case{DependencyCondition::end, {Fate::runs, Fate::runs, Fate::runs}},
    Case{DependencyCondition::failure, {Fate::doomed, Fate::runs, Fate::doomed}},
};

TEST(RequirementA7, ResolvesEveryConditionByEveryEnd) {
  for (const Case& one : cases) {
    for (std::size_t i = 0; i < all_ends.size(); ++i) {
      const auto what = std::string(name(one.condition)) + " and " + std::string(name(all_ends[i]));
      Story before;
      before.enqueue({.id = dependency});
      add_dependent(before, one.condition);
      EXPECT_EQ(fate_of(before), Fate::waits) << what;
      end(before, all_ends[i]);
      EXPECT_EQ(fate_of(before), one.fates[i]) << what;

      Story behind;
      behind.enqueue({.id = dependency});
      end(behind, all_ends[i]);
      add_dependent(behind, one.condition);
      EXPECT_EQ(fate_of(behind), one.fates[i]) << what << ", submitted later";
    }
  }
}

TEST(Dependencies, WaitOnAFailureUntilItIsReDriven) {
  Story story;
  story.enqueue({.id = dependency});
  add_dependent(story, DependencyCondition::success_in_the_end);
  end(story, TaskState::failed);
  ASSERT_TRUE(story.redrive(dependency));
  EXPECT_EQ(fate_of(story), Fate::waits);
  end(story, TaskState::failed);
  EXPECT_EQ(fate_of(story), Fate::waits);
  ASSERT_TRUE(story.redrive(dependency));
  end(story, TaskState::succeeded);
  EXPECT_EQ(fate_of(story), Fate::runs);
  EXPECT_TRUE(story.tasks().conditions.empty());
}

TEST(Dependencies, CountEachOfSeveralByItsOwnCondition) {
  Story story;
  story.enqueue({.id = 1});
  story.enqueue({.id = 2});
  story.enqueue({.id = 3,
                 .dependencies = {1, 2},
                 .conditions = {DependencyCondition::end, DependencyCondition::failure}});
  story.start(1);
  story.fail(1);
  EXPECT_EQ(story.task(3).waiting_for, 1U);
  story.start(2);
  story.fail(2);
  EXPECT_EQ(story.task(3).state, TaskState::ready);
}

// Those that failed with it are yet to be cancelled: the failure has to stand until they are.
TEST(Redrive, WaitsForTheDependentsToBeCancelled) {
  Story story;
  story.enqueue({.id = dependency});
  add_dependent(story, DependencyCondition::success);
  end(story, TaskState::failed);
  EXPECT_FALSE(story.redrive(dependency));
  ASSERT_TRUE(story.tell(TaskCancelled{.id = TaskId(dependent), .dependency = TaskId(dependency)}));
  EXPECT_TRUE(story.redrive(dependency));
}

TEST(Redrive, ForgivesFailuresAndCrashesAndKeepsTheCountOfAttempts) {
  Story story;
  story.enqueue({.id = 1, .attempts_max = 2});
  story.start(1);
  story.crash(1, 1);
  story.start(1);
  story.fail(1);
  ASSERT_EQ(story.tasks().crashes.size(), 1U);
  ASSERT_TRUE(story.redrive(1));
  EXPECT_EQ(story.task(1).state, TaskState::ready);
  EXPECT_EQ(story.task(1).failures, 0U);
  EXPECT_EQ(story.task(1).attempts, 2U);
  EXPECT_EQ(story.task(1).ended_at, Time());
  EXPECT_TRUE(story.tasks().crashes.empty());
}

}  // namespace
}  // namespace almanac::test
