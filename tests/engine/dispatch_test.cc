// Choosing what runs next, by example and against the simplest chooser there is.
#include <almanac/engine/dispatch.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace almanac::test {
namespace {

using Ids = std::vector<std::uint64_t>;

Ids started(Desk& desk, const CanRun& can_run = can_run_all) {
  Ids ids;
  for (TaskId id : desk.start(can_run)) ids.push_back(id.value);
  return ids;
}

void configure(Desk& desk, std::string queue, std::uint32_t slots) {
  ASSERT_TRUE(desk.ask(ConfigureQueue{std::move(queue), slots}).has_value());
}

TEST(Dispatch, StartsTheHighestPriorityAndAmongEqualsTheFirstSubmitted) {
  Desk desk({.slots = 10});
  for (std::int32_t priority : {0, 5, -5, 0, 5}) {
    desk.submit({.kind = "work", .priority = priority});
  }
  EXPECT_EQ(started(desk), (Ids{2, 5, 1, 4, 3}));
}

TEST(Dispatch, ComparesPrioritiesAcrossQueuesAndKinds) {
  Desk desk({.slots = 3});
  desk.submit({.kind = "a", .queue = "x", .priority = 1});
  desk.submit({.kind = "b", .queue = "x", .priority = 3});
  desk.submit({.kind = "a", .queue = "y", .priority = 2});
  desk.submit({.kind = "b", .queue = "y", .priority = 1});
  EXPECT_EQ(started(desk), (Ids{2, 3, 1}));
}

TEST(Dispatch, StartsNoMoreThanTheEngineHasSlots) {
  Desk desk({.slots = 3});
  for (int i = 0; i < 5; ++i) desk.submit({.kind = "work"});
  EXPECT_EQ(started(desk), (Ids{1, 2, 3}));
  EXPECT_EQ(started(desk), Ids{});
  desk.finish(TaskId(2), AttemptStatus::succeeded);
  EXPECT_EQ(started(desk), Ids{4});
}

TEST(Dispatch, StartsNoMoreThanTheQueueHasSlots) {
  Desk desk({.slots = 10});
  configure(desk, "slow", 2);
  for (int i = 0; i < 4; ++i) desk.submit({.kind = i < 2 ? "a" : "b", .queue = "slow"});
  desk.submit({.kind = "a", .queue = "fast"});
  EXPECT_EQ(started(desk), (Ids{1, 2, 5}));
  desk.finish(TaskId(1), AttemptStatus::succeeded);
  EXPECT_EQ(started(desk), Ids{3});
}

TEST(Dispatch, CountsACancelledTaskUntilItHasStopped) {
  Desk desk({.slots = 1});
  desk.submit({.kind = "work"});
  desk.submit({.kind = "work"});
  desk.start();
  desk.cancel(TaskId(1));
  EXPECT_EQ(started(desk), Ids{});
  desk.finish(TaskId(1), AttemptStatus::signaled);
  EXPECT_EQ(started(desk), Ids{2});
}

TEST(Dispatch, TakesZeroSlotsOfAQueueAsNoLimitOfItsOwn) {
  Desk desk({.slots = 3});
  configure(desk, "q", 1);
  configure(desk, "q", 0);
  for (int i = 0; i < 4; ++i) desk.submit({.kind = "work", .queue = "q"});
  EXPECT_EQ(started(desk).size(), 3U);
}

TEST(Dispatch, HoldsOnToFewerSlotsWithoutStoppingWhatRuns) {
  Desk desk({.slots = 4});
  for (int i = 0; i < 6; ++i) desk.submit({.kind = "work", .queue = "q"});
  EXPECT_EQ(started(desk).size(), 4U);
  configure(desk, "q", 2);
  desk.finish(TaskId(1), AttemptStatus::succeeded);
  desk.finish(TaskId(2), AttemptStatus::succeeded);
  EXPECT_EQ(started(desk), Ids{});
  desk.finish(TaskId(3), AttemptStatus::succeeded);
  EXPECT_EQ(started(desk), Ids{5});
}

TEST(Dispatch, LeavesUnknownKindsWhereTheyAreAndOutOfTheWay) {
  Desk desk({.slots = 2});
  auto known = [](std::string_view kind) { return kind != "strange"; };
  for (int i = 0; i < 3; ++i) desk.submit({.kind = "strange", .priority = 9});
  for (int i = 0; i < 2; ++i) desk.submit({.kind = "work"});
  EXPECT_EQ(started(desk, known), (Ids{4, 5}));
  EXPECT_EQ(desk.state().tasks.count(TaskState::ready), 3U);
  desk.finish(TaskId(4), AttemptStatus::succeeded);
  EXPECT_EQ(started(desk), Ids{1});
}

TEST(Dispatch, StartsNothingThatIsNotReady) {
  Desk desk;
  TaskId first = desk.submit({.kind = "work", .run_at = desk.now + Duration(1)});
  desk.submit({.kind = "work", .dependencies = {first}});
  EXPECT_EQ(started(desk), Ids{});
}

TEST(Dispatch, SaysWhichAttemptItIsAndWhenItMustEnd) {
  Desk desk;
  desk.submit({.kind = "work", .timeout = std::chrono::seconds(7)});
  desk.submit({.kind = "work"});
  desk.start();
  const auto& timed = std::get<TaskStarted>(desk.last()[0].body);
  EXPECT_EQ(timed.attempt, 1U);
  EXPECT_EQ(timed.deadline, desk.now + std::chrono::seconds(7));
  EXPECT_EQ(std::get<TaskStarted>(desk.last()[1].body).deadline, Time());
  ASSERT_TRUE(
      desk.ask(HandBackAttempt{TaskId(1), desk.token(desk.task(TaskId(1)).lease)}).has_value());
  desk.start();
  EXPECT_EQ(std::get<TaskStarted>(desk.last()[0].body).attempt, 2U);
}

TEST(Dispatch, ComparesQueuesOfDifferentPoliciesByThePriorityOfTheirFirstTasks) {
  Desk desk({.slots = 10});
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "f", .policy = QueuePolicy::fifo}).has_value());
  desk.submit({.kind = "work", .queue = "f", .priority = -1});  // stands before its 9
  desk.submit({.kind = "work", .queue = "f", .priority = 9});
  desk.submit({.kind = "work", .queue = "p", .priority = 3});
  desk.submit({.kind = "work", .queue = "p"});
  EXPECT_EQ(started(desk), (Ids{3, 4, 1, 2}));
}

TEST(Dispatch, TakesTheFirstOfAQueueWhateverItsKind) {
  Desk desk({.slots = 2});
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "d", .policy = QueuePolicy::deadline}).has_value());
  desk.submit({.kind = "a", .queue = "d", .deadline = desk.now + Duration(3)});
  desk.submit({.kind = "b", .queue = "d", .deadline = desk.now + Duration(1)});
  desk.submit({.kind = "a", .queue = "d", .deadline = desk.now + Duration(2)});
  EXPECT_EQ(started(desk), (Ids{2, 3}));
}

// --- Against the simplest chooser ---------------------------------------------------------------

// Sorts all ready tasks and takes each that still fits.
Ids choose_simply(const State& state, const CanRun& can_run) {
  std::vector<std::tuple<std::int64_t, std::uint64_t, NameId>> ready;
  std::map<NameId, std::uint32_t> held;
  std::uint32_t all_held = 0;
  for (const auto& [id, task] : state.tasks.all) {
    const auto version = terms_of(state.tasks, id).version;
    const bool is_run = can_run(state.names.text(task.kind)) &&
                        state.implementations.versions_of(task.kind).takes(version);
    if (task.state == TaskState::ready && is_run) {
      ready.emplace_back(-std::int64_t{task.priority}, id.value, task.queue);
    }
    if (holds_lease(task.state)) {
      ++held[task.queue];
      ++all_held;
    }
  }
  std::ranges::sort(ready);
  Ids chosen;
  for (auto [rank, id, queue] : ready) {
    const std::uint32_t* slots = state.queues.slots.find(queue);
    bool queue_full = slots != nullptr && *slots > 0 && held[queue] >= *slots;
    if (queue_full || all_held >= state.engine.slots) continue;
    ++held[queue];
    ++all_held;
    chosen.push_back(id);
  }
  return chosen;
}

RC_GTEST_PROP(Dispatch, ChoosesWhatTheSimplestChooserDoes, ()) {
  const std::vector<std::string> names = {"a", "b", "c"};
  auto any_name = rc::gen::elementOf(names);
  Desk desk({.slots = *rc::gen::inRange<std::uint32_t>(1, 9)});
  for (const std::string& queue : names) {
    if (*rc::gen::arbitrary<bool>()) configure(desk, queue, *rc::gen::inRange(0U, 4U));
  }
  std::set<std::string> known;
  for (int left = *rc::gen::inRange(0, 5); left > 0; --left) known.insert(*any_name);
  CanRun can_run = [&](std::string_view kind) { return known.contains(std::string(kind)); };
  for (int round = 0; round < 4; ++round) {
    const auto first = *rc::gen::inRange(0U, 3U);
    const VersionRange versions{first, *rc::gen::arbitrary<bool>() ? first + 1 : 0};
    RC_ASSERT(desk.ask(SetImplementations{.kind = *any_name, .versions = versions}).has_value());
    for (int left = *rc::gen::inRange(0, 10); left > 0; --left) {
      desk.submit({.kind = *any_name,
                   .queue = *any_name,
                   .priority = *rc::gen::inRange(-2, 3),
                   .version = *rc::gen::inRange(0U, 4U)});
    }
    auto expected = choose_simply(desk.state(), can_run);
    RC_ASSERT(started(desk, can_run) == expected);
    std::vector<TaskId> running;
    for (const RunningKey& key : desk.state().tasks.running) running.push_back(key.id);
    for (TaskId id : running) {
      if (*rc::gen::arbitrary<bool>()) desk.finish(id, AttemptStatus::succeeded);
    }
  }
}

}  // namespace
}  // namespace almanac::test
