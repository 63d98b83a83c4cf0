// Which tasks leave the state and when; and that the state becomes as small as what is left.
#include <almanac/engine/limits.h>
#include <almanac/engine/retention.h>
#include <almanac/projections/invariants.h>
#include <almanac/snapshots/state_codec.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

using std::chrono::days;

// Looks at all tasks once, as the loop does in some turns, and folds what is found.
State forgotten(const Desk& desk, Time now, const TaskRetention& retention = {}) {
  State state = desk.state();
  Arena memory;
  TaskId before = state.tasks.last.next();
  while (before) {
    auto found = decide_forgetting(state, {now, memory}, retention, before);
    for (const Event& event : found.events) {
      const auto ignored = state.ignored;
      state = fold(std::move(state), {state.position.next(), event});
      EXPECT_EQ(state.ignored, ignored);
    }
    before = found.next;
  }
  EXPECT_TRUE(broken_invariants(state).empty());
  return state;
}

TaskId ended(Desk& desk, AttemptStatus status, TaskSpec spec = {.kind = "work"}) {
  const TaskId id = desk.submit(std::move(spec));
  desk.start();
  desk.finish(id, status);
  return id;
}

TEST(Retention, IsByHowATaskEnded) {
  Desk desk;
  const TaskId succeeded = ended(desk, AttemptStatus::succeeded);
  const TaskId failed = ended(desk, AttemptStatus::error);
  const TaskId cancelled = desk.submit({.kind = "work"});
  desk.cancel(cancelled);
  const auto kept = [&](Duration later) {
    const State state = forgotten(desk, desk.now + later);
    return std::array{state.tasks.all.contains(succeeded), state.tasks.all.contains(failed),
                      state.tasks.all.contains(cancelled)};
  };
  EXPECT_EQ(kept(days(3) - Duration(1)), (std::array{true, true, true}));
  EXPECT_EQ(kept(days(3)), (std::array{false, true, true}));
  EXPECT_EQ(kept(days(365) - Duration(1)), (std::array{false, true, true}));
  EXPECT_EQ(kept(days(365)), (std::array{false, false, false}));
  EXPECT_EQ(forgotten(desk, desk.now + days(9'999), TaskRetention::keep_all()).tasks.all.size(),
            3U);
}

TEST(Retention, IsByTheQueueBeforeTheEngine) {
  Desk desk;
  ASSERT_TRUE(desk.ask(ConfigureQueue{
      .queue = "checks", .retain_succeeded = std::chrono::hours(1), .retain_failed = days(30)}));
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "bills", .retain_succeeded = retained_for_ever}));
  const auto of = [&](const std::string& queue, AttemptStatus status) {
    return ended(desk, status, {.kind = "work", .queue = queue});
  };
  const TaskId check = of("checks", AttemptStatus::succeeded);
  const TaskId failed_check = of("checks", AttemptStatus::error);
  const TaskId bill = of("bills", AttemptStatus::succeeded);
  const TaskId failed_bill = of("bills", AttemptStatus::error);
  const TaskId other = of("default", AttemptStatus::succeeded);
  const auto kept = [&](Duration later, const TaskRetention& engine = {}) {
    const State state = forgotten(desk, desk.now + later, engine);
    std::vector<bool> are_there;
    for (TaskId id : {check, failed_check, bill, failed_bill, other}) {
      are_there.push_back(state.tasks.all.contains(id));
    }
    return are_there;
  };
  using Kept = std::vector<bool>;
  EXPECT_EQ(kept(std::chrono::hours(1) - Duration(1)), (Kept{true, true, true, true, true}));
  EXPECT_EQ(kept(std::chrono::hours(1)), (Kept{false, true, true, true, true}));
  EXPECT_EQ(kept(days(30)), (Kept{false, false, true, true, false}));
  EXPECT_EQ(kept(days(9'999)), (Kept{false, false, true, false, false}));
  EXPECT_EQ(kept(days(9'999), TaskRetention::keep_all()), (Kept{false, false, true, true, true}));
}

TEST(Retention, OfAQueueRemovesNothingThatOneDependsOn) {
  Desk desk;
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "checks", .retain_succeeded = Duration(1)}));
  const TaskId input = ended(desk, AttemptStatus::succeeded, {.kind = "work", .queue = "checks"});
  const TaskId waiting = desk.submit(
      {.kind = "work", .queue = "checks", .run_at = desk.now + days(9), .dependencies = {input}});
  const State state = forgotten(desk, desk.now + days(4));
  EXPECT_TRUE(state.tasks.all.contains(input) && state.tasks.all.contains(waiting));
}

TEST(Retention, RemovesNoWaitingTaskAndNothingThatOneDependsOn) {
  Desk desk;
  const TaskId input = ended(desk, AttemptStatus::succeeded);
  const TaskId failed = ended(desk, AttemptStatus::error);
  const TaskId waiting = desk.submit(
      {.kind = "work",
       .dependencies = {input, failed},
       .conditions = {DependencyCondition::success, DependencyCondition::success_in_the_end}});
  const TaskId delayed = desk.submit({.kind = "work", .run_at = desk.now + days(5'000)});
  const TaskId ready = desk.submit({.kind = "unknown"});
  const State state = forgotten(desk, desk.now + days(4'000));
  for (TaskId id : {input, failed, waiting, delayed, ready}) {
    EXPECT_TRUE(state.tasks.all.contains(id)) << id.value;
  }
}

TEST(Retention, RemovesAChainInOneLook) {
  Desk desk;
  TaskId last = ended(desk, AttemptStatus::succeeded);
  for (int i = 0; i < 50; ++i) {
    last = ended(desk, AttemptStatus::succeeded, {.kind = "work", .dependencies = {last}});
  }
  EXPECT_TRUE(forgotten(desk, desk.now + days(4)).tasks.all.empty());
}

TEST(Retention, MakesTheStateAsSmallAsWhatIsLeft) {
  Desk desk({.slots = 100});
  constexpr std::size_t tasks = 20'000;
  for (std::size_t i = 0; i < tasks; i += 100) {
    std::vector<TaskSpec> specs;
    for (std::size_t j = 0; j < 100; ++j) {
      specs.push_back(
          {.kind = "work", .tags = {"nightly"}, .idempotency_key = "key " + std::to_string(i + j)});
    }
    for (const Submitted& one : desk.submit_all(std::move(specs))) {
      desk.start();
      if (one.id.value > 10) desk.finish(one.id, AttemptStatus::succeeded);
    }
  }
  const auto before = encode(desk.state()).size();
  const State state = forgotten(desk, desk.now + days(4));
  const auto after = encode(state).size();
  EXPECT_EQ(state.tasks.all.size(), 10U);
  EXPECT_EQ(state.tasks.keys.size(), 10U);
  EXPECT_EQ(state.tasks.tagged.size(), 10U);
  EXPECT_LT(after * 200, before) << before << " bytes before, " << after << " after";
  RecordProperty("bytes_before", std::to_string(before));
  RecordProperty("bytes_after", std::to_string(after));
}

}  // namespace
}  // namespace almanac::test
