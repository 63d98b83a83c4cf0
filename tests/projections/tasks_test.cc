// What the fold makes of the events of tasks, by example.
#include <almanac/projections/tasks.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <limits>

namespace almanac::test {
namespace {

constexpr Time at_second(std::int64_t second) { return Time(std::chrono::seconds(second)); }
const Time far_future{std::chrono::hours(1'000'000)};

std::vector<std::uint64_t> ready_ids(const Tasks& tasks) {
  std::vector<std::uint64_t> ids;
  for (const ReadyKey& key : tasks.ready) ids.push_back(key.place.id.value);
  return ids;
}

std::vector<std::uint64_t> due_ids(const Tasks& tasks) {
  std::vector<std::uint64_t> ids;
  for (const DueKey& key : tasks.due) ids.push_back(key.id.value);
  return ids;
}

using Ids = std::vector<std::uint64_t>;

// --- Becoming a task ----------------------------------------------------------------------------

TEST(Enqueued, IsReadyAndRemembersWhatDecisionsNeed) {
  Story story;
  auto time = story.now();
  ASSERT_TRUE(story.enqueue({.id = 7,
                             .kind = "render",
                             .queue = "slow",
                             .priority = -3,
                             .run_at = at_second(5),
                             .timeout = std::chrono::seconds(9),
                             .attempts_max = 4}));
  const Task& task = story.task(7);
  EXPECT_EQ(task.state, TaskState::ready);
  EXPECT_EQ(story.state().names.text(task.kind), "render");
  EXPECT_EQ(story.state().names.text(task.queue), "slow");
  EXPECT_EQ(task.priority, -3);
  EXPECT_EQ(task.run_at, at_second(5));
  EXPECT_EQ(task.timeout, std::chrono::seconds(9));
  EXPECT_EQ(task.attempts_max, 4);
  EXPECT_EQ(task.enqueued_at, time);
  EXPECT_EQ(task.enqueued, Position(1));
  EXPECT_EQ(task.changed, Position(1));
  EXPECT_EQ(story.tasks().last, TaskId(7));
}

TEST(Enqueued, LeavesItsTermsBesideTheTaskAndNothingWhereItHasNone) {
  Story story;
  story.enqueue({.id = 1});
  ASSERT_TRUE(story.tell(TaskEnqueued{.id = TaskId(2),
                                      .kind = "work",
                                      .queue = "default",
                                      .owner = "ann",
                                      .deadline = at_second(50),
                                      .estimate = std::chrono::seconds(7),
                                      .expires_at = at_second(90)}));
  ASSERT_EQ(story.tasks().terms.size(), 1U);
  const TaskTerms& terms = *story.tasks().terms.find(TaskId(2));
  EXPECT_EQ(story.state().names.text(*terms.owner), "ann");
  EXPECT_EQ(terms.deadline, at_second(50));
  EXPECT_EQ(terms.estimate, std::chrono::seconds(7));
  EXPECT_EQ(terms.expires_at, at_second(90));
}

TEST(Enqueued, IsDelayedOnlyUntilATimeThatHasNotCome) {
  Story story;
  auto now = story.now();
  story.enqueue({.id = 1, .run_at = now + Duration(1)});
  EXPECT_EQ(story.task(1).state, TaskState::delayed);
  now = story.now();
  story.enqueue({.id = 2, .run_at = now});
  EXPECT_EQ(story.task(2).state, TaskState::ready);
}

TEST(Enqueued, IsIgnoredWithoutANumberAndWithOneThatIsTaken) {
  Story story;
  EXPECT_FALSE(story.enqueue({.id = 0}));
  ASSERT_TRUE(story.enqueue({.id = 1, .kind = "first"}));
  EXPECT_FALSE(story.enqueue({.id = 1, .kind = "second", .tags = {"x"}, .key = "k"}));
  EXPECT_EQ(story.state().names.find("second"), std::nullopt);
  EXPECT_EQ(story.tasks().keys.size(), 0U);
  EXPECT_EQ(story.state().ignored, 2U);
}

TEST(Enqueued, MayComeInAnyOrderOfNumbers) {
  Story story;
  story.enqueue({.id = 9});
  story.enqueue({.id = 4});
  EXPECT_EQ(story.tasks().last, TaskId(9));
  EXPECT_EQ(ready_ids(story.tasks()), (Ids{4, 9}));
}

TEST(Enqueued, IsFoundByKeyAndByTag) {
  Story story;
  story.enqueue({.id = 1, .tags = {"red", "big"}, .key = "one", .content_hash = 11});
  story.enqueue({.id = 2, .tags = {"red", "red"}});
  const KeyedTask* keyed = story.tasks().keys.find(std::string_view("one"));
  ASSERT_NE(keyed, nullptr);
  EXPECT_EQ(keyed->id, TaskId(1));
  EXPECT_EQ(keyed->content_hash, 11U);
  EXPECT_EQ(story.tasks().keys.size(), 1U);
  NameId red = *story.state().names.find("red");
  NameId big = *story.state().names.find("big");
  EXPECT_EQ(story.tasks().tagged.size(), 3U);
  for (const TagKey& key : {TagKey{red, TaskId(1)}, {red, TaskId(2)}, {big, TaskId(1)}}) {
    EXPECT_TRUE(story.tasks().tagged.contains(key));
  }
}

// --- Orders -------------------------------------------------------------------------------------

TEST(ReadyOrder, IsHighestPriorityThenFirstSubmittedWithinALane) {
  Story story;
  story.enqueue({.id = 1, .priority = 0});
  story.enqueue({.id = 2, .priority = std::numeric_limits<std::int32_t>::max()});
  story.enqueue({.id = 3, .priority = std::numeric_limits<std::int32_t>::min()});
  story.enqueue({.id = 4, .priority = 0});
  story.enqueue({.id = 5, .priority = -1});
  story.enqueue({.id = 6, .priority = 1});
  EXPECT_EQ(ready_ids(story.tasks()), (Ids{2, 6, 1, 4, 5, 3}));
}

TEST(ReadyOrder, KeepsLanesApart) {
  Story story;
  story.enqueue({.id = 1, .kind = "a", .queue = "x"});
  story.enqueue({.id = 2, .kind = "b", .queue = "x", .priority = 9});
  story.enqueue({.id = 3, .kind = "a", .queue = "y", .priority = 9});
  story.enqueue({.id = 4, .kind = "a", .queue = "x", .priority = 1});
  EXPECT_EQ(ready_ids(story.tasks()), (Ids{4, 1, 2, 3}));
}

TEST(DueOrder, IsByTimeThenByNumber) {
  Story story;
  story.enqueue({.id = 1, .run_at = far_future + Duration(5)});
  story.enqueue({.id = 3, .run_at = far_future});
  story.enqueue({.id = 2, .run_at = far_future});
  EXPECT_EQ(due_ids(story.tasks()), (Ids{2, 3, 1}));
  EXPECT_EQ(story.tasks().next_due(), far_future);
  for (std::uint64_t id : {1, 2, 3}) story.make_ready(id);
  EXPECT_EQ(story.tasks().next_due(), std::nullopt);
  EXPECT_EQ(ready_ids(story.tasks()), (Ids{1, 2, 3}));
}

TEST(RunningOrder, CountsTheLeasesOfEachQueue) {
  Story story;
  for (std::uint64_t id = 1; id <= 6; ++id) story.enqueue({.id = id, .queue = id < 5 ? "x" : "y"});
  for (std::uint64_t id : {1, 2, 3, 5}) story.start(id);
  story.request_cancel(2);
  story.succeed(3);
  auto in = [&](const char* queue) {
    return story.tasks().running_in(*story.state().names.find(queue));
  };
  EXPECT_EQ(in("x"), 2U);
  EXPECT_EQ(in("y"), 1U);
  EXPECT_EQ(in("work"), 0U);  // the name of a kind
}

// --- Attempts -----------------------------------------------------------------------------------

TEST(Attempts, HoldALeaseThatIsThePositionOfTheirStart) {
  Story story;
  story.enqueue({.id = 1, .attempts_max = 9});
  auto time = story.now();
  story.start(1);
  EXPECT_EQ(story.lease(1), Lease(2));
  EXPECT_EQ(story.task(1).started_at, time);
  story.hand_back(1);
  EXPECT_EQ(story.lease(1), Lease());
  story.start(1);
  EXPECT_EQ(story.lease(1), Lease(4));
  EXPECT_EQ(story.task(1).attempts, 2U);
}

TEST(Attempts, ThatFailAreTriedAgainAtTheTimeTheEventSays) {
  Story story;
  story.enqueue({.id = 1, .attempts_max = 3});
  story.start(1);
  story.fail_attempt(1, far_future);
  const Task& task = story.task(1);
  EXPECT_EQ(task.state, TaskState::delayed);
  EXPECT_EQ(task.run_at, far_future);
  EXPECT_EQ(task.failures, 1U);
  EXPECT_EQ(task.last_status, AttemptStatus::exited);
  EXPECT_EQ(task.last_code, 3);
  EXPECT_EQ(task.lease, Lease());
  EXPECT_EQ(task.ended_at, Time());
  EXPECT_EQ(due_ids(story.tasks()), Ids{1});
}

TEST(Attempts, ThatAreHandedBackAreNoFailuresAndWaitForNothing) {
  Story story;
  story.enqueue({.id = 1});
  story.start(1);
  ASSERT_TRUE(story.hand_back(1));
  EXPECT_EQ(story.task(1).state, TaskState::ready);
  EXPECT_EQ(story.task(1).failures, 0U);
  EXPECT_EQ(story.task(1).attempts, 1U);
  EXPECT_EQ(ready_ids(story.tasks()), Ids{1});
}

TEST(Attempts, AtAWorkerElsewhereAreKnownAsThatUntilTheyEnd) {
  Story story;
  const auto begin = [&](std::uint64_t id) {
    return story.tell(TaskStarted{.id = TaskId(id),
                                  .attempt = 1,
                                  .worker = "render-1",
                                  .lease_time = std::chrono::seconds(30)});
  };
  for (std::uint64_t id = 1; id <= 5; ++id) {
    story.enqueue({.id = id});
    ASSERT_TRUE(id == 5 ? story.start(id) : begin(id));
  }
  const Tasks& tasks = story.tasks();
  EXPECT_EQ(tasks.running_here(), 1U);
  EXPECT_EQ(tasks.remote.find(TaskId(5)), nullptr);
  const RemoteLease* lease = tasks.remote.find(TaskId(1));
  ASSERT_NE(lease, nullptr);
  EXPECT_EQ(lease->worker.view(), "render-1");
  EXPECT_EQ(lease->time, std::chrono::seconds(30));
  story.succeed(1);
  story.fail_attempt(2, story.now());
  story.hand_back(3);
  story.request_cancel(4);
  EXPECT_EQ(tasks.remote.size(), 1U) << "one that is told to stop runs still";
  story.cancel(4);
  EXPECT_TRUE(tasks.remote.empty());
  story.start(3);
  EXPECT_TRUE(tasks.remote.empty()) << "the next attempt may run here";
}

TEST(Attempts, AtAnotherWorkerOrForAnotherTimeAreAnotherState) {
  const auto digest_with = [](std::string_view worker, int seconds) {
    Story story;
    story.enqueue({.id = 1});
    story.tell(TaskStarted{.id = TaskId(1),
                           .attempt = 1,
                           .worker = worker,
                           .lease_time = std::chrono::seconds(seconds)});
    return digest(story.state());
  };
  EXPECT_EQ(digest_with("one", 30), digest_with("one", 30));
  EXPECT_NE(digest_with("one", 30), digest_with("", 0));
  EXPECT_NE(digest_with("one", 30), digest_with("two", 30));
  EXPECT_NE(digest_with("one", 30), digest_with("one", 31));
}

TEST(Attempts, LeaveTheirEndAndItsPlaceWithTheTask) {
  Story story;
  story.enqueue({.id = 1});
  story.start(1);
  auto time = story.now();
  story.fail(1);
  const Task& task = story.task(1);
  EXPECT_EQ(task.state, TaskState::failed);
  EXPECT_EQ(task.failures, 1U);
  EXPECT_EQ(task.last_status, AttemptStatus::signaled);
  EXPECT_EQ(task.last_code, 9);
  EXPECT_EQ(task.ended_at, time);
  EXPECT_EQ(task.changed, Position(3));
  EXPECT_EQ(task.enqueued, Position(1));
}

TEST(Attempts, OfARunningTaskCannotBeCancelledWithoutBeingAskedToStop) {
  Story story;
  story.enqueue({.id = 1});
  story.start(1);
  EXPECT_FALSE(story.cancel(1));
  EXPECT_TRUE(story.request_cancel(1));
  EXPECT_FALSE(story.succeed(1));
  EXPECT_TRUE(story.cancel(1));
  EXPECT_EQ(story.task(1).state, TaskState::cancelled);
}

TEST(Attempts, ThatNeverRanLeaveNoStatusWhenCancelled) {
  Story story;
  story.enqueue({.id = 1});
  story.tell(
      TaskCancelled{.id = TaskId(1), .end = {.status = AttemptStatus::timed_out, .code = 5}});
  EXPECT_EQ(story.task(1).last_status, AttemptStatus::succeeded);
  EXPECT_EQ(story.task(1).last_code, 0);
}

// --- Dependencies -------------------------------------------------------------------------------

TEST(Dependencies, HoldATaskUntilAllOfThemHaveSucceeded) {
  Story story;
  story.enqueue({.id = 1});
  story.enqueue({.id = 2});
  story.enqueue({.id = 3, .dependencies = {1, 2}});
  EXPECT_EQ(story.task(3).waiting_for, 2U);
  story.start(2);
  story.succeed(2);
  EXPECT_EQ(story.task(3).state, TaskState::waiting);
  EXPECT_EQ(story.task(3).waiting_for, 1U);
  story.start(1);
  story.succeed(1);
  EXPECT_EQ(story.task(3).state, TaskState::ready);
  EXPECT_EQ(story.task(3).waiting_for, 0U);
  EXPECT_EQ(story.task(3).changed, story.state().position);
  EXPECT_TRUE(story.tasks().dependents.empty());
}

TEST(Dependencies, NamedTwiceAreWaitedForOnce) {
  Story story;
  story.enqueue({.id = 1});
  story.enqueue({.id = 2, .dependencies = {1, 1}});
  EXPECT_EQ(story.task(2).waiting_for, 1U);
  story.start(1);
  story.succeed(1);
  EXPECT_EQ(story.task(2).state, TaskState::ready);
}

TEST(Dependencies, ThatHaveSucceededOrNeverWereHoldNothing) {
  Story story;
  story.enqueue({.id = 1});
  story.start(1);
  story.succeed(1);
  story.enqueue({.id = 2, .dependencies = {1, 99, 2}});
  EXPECT_EQ(story.task(2).state, TaskState::ready);
  EXPECT_TRUE(story.tasks().dependents.empty());
}

TEST(Dependencies, LeaveATaskDelayedThatMayNotStartYet) {
  Story story;
  story.enqueue({.id = 1});
  story.enqueue({.id = 2, .run_at = far_future, .dependencies = {1}});
  EXPECT_EQ(story.task(2).state, TaskState::waiting);
  story.start(1);
  story.succeed(1);
  EXPECT_EQ(story.task(2).state, TaskState::delayed);
  EXPECT_EQ(due_ids(story.tasks()), Ids{2});
}

TEST(Dependencies, SurviveTheRetriesOfWhatIsDependedOn) {
  Story story;
  story.enqueue({.id = 1, .attempts_max = 3});
  story.enqueue({.id = 2, .dependencies = {1}});
  story.start(1);
  story.fail_attempt(1, story.now());
  EXPECT_EQ(story.task(2).state, TaskState::waiting);
  EXPECT_TRUE(story.tasks().doomed.empty());
  story.make_ready(1);
  story.start(1);
  story.succeed(1);
  EXPECT_EQ(story.task(2).state, TaskState::ready);
}

// --- Doom ---------------------------------------------------------------------------------------

TEST(Doom, ComesFromADependencyThatFailsOrIsCancelledAndNamesIt) {
  Story story;
  for (std::uint64_t id : {1, 2}) story.enqueue({.id = id});
  story.enqueue({.id = 3, .dependencies = {1}});
  story.enqueue({.id = 4, .dependencies = {2}});
  story.start(1);
  story.fail(1);
  story.cancel(2);
  ASSERT_EQ(story.tasks().doomed.size(), 2U);
  EXPECT_EQ(*story.tasks().doomed.find(TaskId(3)), TaskId(1));
  EXPECT_EQ(*story.tasks().doomed.find(TaskId(4)), TaskId(2));
  EXPECT_EQ(story.task(3).state, TaskState::waiting);
}

TEST(Doom, WaitsForATaskThatDependsOnOneAlreadyLost) {
  Story story;
  story.enqueue({.id = 1});
  story.cancel(1);
  story.enqueue({.id = 2, .dependencies = {1, 1}});
  EXPECT_EQ(story.task(2).state, TaskState::waiting);
  EXPECT_EQ(*story.tasks().doomed.find(TaskId(2)), TaskId(1));
  EXPECT_TRUE(story.tasks().dependents.empty());
}

TEST(Doom, IsNotLiftedByOtherDependenciesThatSucceed) {
  Story story;
  for (std::uint64_t id : {1, 2}) story.enqueue({.id = id});
  story.enqueue({.id = 3, .dependencies = {1, 2}});
  story.cancel(1);
  story.start(2);
  story.succeed(2);
  EXPECT_EQ(story.task(3).state, TaskState::waiting);
  EXPECT_TRUE(story.tasks().doomed.contains(TaskId(3)));
}

TEST(Doom, PassesOnWhenTheDoomedIsCancelled) {
  Story story;
  story.enqueue({.id = 1});
  story.enqueue({.id = 2, .dependencies = {1}});
  story.enqueue({.id = 3, .dependencies = {2}});
  story.cancel(1);
  EXPECT_FALSE(story.tasks().doomed.contains(TaskId(3)));
  story.tell(TaskCancelled{.id = TaskId(2), .dependency = TaskId(1)});
  EXPECT_FALSE(story.tasks().doomed.contains(TaskId(2)));
  EXPECT_EQ(*story.tasks().doomed.find(TaskId(3)), TaskId(2));
  story.tell(TaskCancelled{.id = TaskId(3), .dependency = TaskId(2)});
  EXPECT_TRUE(story.tasks().doomed.empty());
  EXPECT_EQ(story.tasks().live(), 0U);
}

TEST(Doom, SparesATaskThatWasCancelledByItself) {
  Story story;
  story.enqueue({.id = 1});
  story.enqueue({.id = 2, .dependencies = {1}});
  story.cancel(2);
  story.start(1);
  story.fail(1);
  EXPECT_TRUE(story.tasks().doomed.empty());
  EXPECT_EQ(check_orders(story.state()), "");
}

}  // namespace
}  // namespace almanac::test
