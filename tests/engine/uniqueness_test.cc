// Of which tasks no second one is enqueued, until when, and what becomes of it instead.
#include <almanac/engine/limits.h>
#include <almanac/engine/retention.h>
#include <almanac/engine/schedules.h>
#include <almanac/engine/uniqueness.h>
#include <almanac/projections/invariants.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace almanac::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

TaskSpec unique(UniqueSpec how = {}) {
  return {.kind = "sync", .payload = "customer 7", .attempts_max = 2, .unique = std::move(how)};
}

Submitted submit_unique(Desk& desk, TaskSpec spec) {
  return desk.submit_all({std::move(spec)}).front();
}

TaskId running(Desk& desk, TaskSpec spec) {
  const TaskId id = desk.submit(std::move(spec));
  EXPECT_EQ(desk.start().size(), 1U);
  return id;
}

TaskId ended_as(Desk& desk, TaskSpec spec, AttemptStatus status) {
  spec.attempts_max = 1;
  const TaskId id = running(desk, std::move(spec));
  desk.finish(id, status);
  return id;
}

bool is_enqueued(Desk& desk, const UniqueSpec& how) {
  const auto submitted = submit_unique(desk, unique(how));
  EXPECT_TRUE(broken_invariants(desk.state()).empty());
  return submitted.outcome == SubmitOutcome::enqueued;
}

// --- What is the same work ----------------------------------------------------------------------

TEST(Uniqueness, IsByKindAndPayload) {
  Desk desk;
  const TaskId first = desk.submit(unique());
  const auto again = submit_unique(desk, unique());
  EXPECT_EQ(again.outcome, SubmitOutcome::existing);
  EXPECT_EQ(again.id, first);
  EXPECT_TRUE(desk.last().empty());
  auto other = unique();
  other.payload = "customer 8";
  EXPECT_EQ(submit_unique(desk, other).outcome, SubmitOutcome::enqueued);
  other.kind = "sync2";
  EXPECT_EQ(submit_unique(desk, other).outcome, SubmitOutcome::enqueued);
  auto elsewhere = unique();
  elsewhere.queue = "slow";
  EXPECT_EQ(submit_unique(desk, elsewhere).id, first);
}

TEST(Uniqueness, IsByAKeyWhateverTheTaskIs) {
  Desk desk;
  const TaskId first = desk.submit(unique({.key = "customer 7"}));
  TaskSpec other{.kind = "mail", .unique = UniqueSpec{.key = "customer 7"}};
  EXPECT_EQ(submit_unique(desk, other).id, first);
  EXPECT_EQ(submit_unique(desk, unique()).outcome, SubmitOutcome::enqueued)
      << "a key is not a payload";
  other.unique->key = "customer 8";
  EXPECT_EQ(submit_unique(desk, other).outcome, SubmitOutcome::enqueued);
}

TEST(Uniqueness, MayBeOfOneQueue) {
  Desk desk;
  const TaskId first = desk.submit(unique({.per_queue = true}));
  auto other = unique({.per_queue = true});
  EXPECT_EQ(submit_unique(desk, other).id, first);
  other.queue = "slow";
  EXPECT_EQ(submit_unique(desk, other).outcome, SubmitOutcome::enqueued);
}

TEST(Uniqueness, OfOtherTasksMeansNothingToOneThatIsNot) {
  Desk desk;
  desk.submit(unique());
  auto plain = unique();
  plain.unique.reset();
  EXPECT_EQ(submit_unique(desk, plain).outcome, SubmitOutcome::enqueued);
  EXPECT_EQ(desk.state().tasks.unique.all.size(), 1U);
}

// --- Until when
// -----------------------------------------------------------------------------------

// Whether another one is enqueued while the first is so.
struct Reached {
  bool waiting, running, delayed, failed, succeeded, cancelled;
  bool operator==(const Reached&) const = default;
};

Reached allowed(UniqueUntil until) {
  const UniqueSpec how{.until = until,
                       .within = until == UniqueUntil::enqueued ? Duration(1) : Duration(0)};
  const auto after = [&](auto become) {
    Desk desk;
    const TaskId id = desk.submit(unique(how));
    become(desk, id);
    desk.now += Duration(1);
    return is_enqueued(desk, how);
  };
  const auto start = [](Desk& desk, TaskId) { desk.start(); };
  const auto fail = [&](Desk& desk, TaskId id) {
    desk.start();
    desk.finish(id, AttemptStatus::error);
  };
  return {.waiting = after([](Desk&, TaskId) {}),
          .running = after(start),
          .delayed = after(fail),
          .failed = after([&](Desk& desk, TaskId id) {
            fail(desk, id);
            desk.now += hours(1);
            desk.come_due();
            fail(desk, id);
          }),
          .succeeded = after([&](Desk& desk, TaskId id) {
            desk.start();
            desk.finish(id, AttemptStatus::succeeded);
          }),
          .cancelled = after([](Desk& desk, TaskId id) { desk.cancel(id); })};
}

TEST(Uniqueness, IsUntilTheOtherIsSoFar) {
  EXPECT_EQ(allowed(UniqueUntil::ended), (Reached{.waiting = false,
                                                  .running = false,
                                                  .delayed = false,
                                                  .failed = true,
                                                  .succeeded = true,
                                                  .cancelled = true}));
  EXPECT_EQ(allowed(UniqueUntil::started), (Reached{.waiting = false,
                                                    .running = true,
                                                    .delayed = false,
                                                    .failed = true,
                                                    .succeeded = true,
                                                    .cancelled = true}));
  EXPECT_EQ(allowed(UniqueUntil::succeeded), (Reached{.waiting = false,
                                                      .running = false,
                                                      .delayed = false,
                                                      .failed = false,
                                                      .succeeded = true,
                                                      .cancelled = true}));
  EXPECT_EQ(allowed(UniqueUntil::enqueued), (Reached{true, true, true, true, true, true}));
}

TEST(Uniqueness, IsWithinATimeWhateverHasBecomeOfTheOther) {
  Desk desk;
  const UniqueSpec hourly{.until = UniqueUntil::enqueued, .within = hours(1)};
  const TaskId first = ended_as(desk, unique(hourly), AttemptStatus::succeeded);
  const Time enqueued_at = desk.task(first).enqueued_at;
  desk.now = enqueued_at + hours(1) - Duration(1);
  EXPECT_EQ(submit_unique(desk, unique(hourly)).id, first);
  desk.now = enqueued_at + hours(1);
  EXPECT_TRUE(is_enqueued(desk, hourly));
  EXPECT_FALSE(is_enqueued(desk, hourly)) << "the last one counts";
}

TEST(Uniqueness, LastsNoLongerThanItIsToHoweverFarTheOtherIs) {
  Desk desk;
  const UniqueSpec how{.until = UniqueUntil::succeeded, .lasts = std::chrono::minutes(10)};
  const TaskId first = running(desk, unique(how));
  desk.now += std::chrono::minutes(10) - Duration(1);
  EXPECT_FALSE(is_enqueued(desk, how));
  desk.now += Duration(1);
  EXPECT_TRUE(is_enqueued(desk, how));
  EXPECT_EQ(desk.task(first).state, TaskState::running);
  EXPECT_FALSE(is_enqueued(desk, how));
  Desk other;
  EXPECT_EQ(error_of(other.ask(EnqueueTasks{{unique(
                         {.within = std::chrono::hours(1), .lasts = std::chrono::minutes(1)})}}))
                .code,
            ErrorCode::invalid);
}

TEST(Uniqueness, LooksAtAllThatHaveNotEnded) {
  Desk desk;
  const UniqueSpec waits{.until = UniqueUntil::started};
  const TaskId first = running(desk, unique(waits));
  const TaskId second = ended_as(desk, unique(waits), AttemptStatus::succeeded);
  EXPECT_EQ(submit_unique(desk, unique()).id, first)
      << "the last one, " << second.value << ", has ended";
}

TEST(Uniqueness, KeepsATaskUntilItsTimeIsOver) {
  Desk desk;
  const UniqueSpec weekly{.within = hours(24 * 7)};
  const TaskId id = ended_as(desk, unique(weekly), AttemptStatus::succeeded);
  const auto is_forgotten = [&](Duration later) {
    Arena memory;
    const TaskId before = desk.state().tasks.last.next();
    const Time now = desk.task(id).enqueued_at + later;
    return !decide_forgetting(desk.state(), {now, memory}, {}, before).events.empty();
  };
  EXPECT_FALSE(is_forgotten(weekly.within - Duration(1)));
  EXPECT_TRUE(is_forgotten(weekly.within));
}

// --- What becomes of a conflict
// -------------------------------------------------------------------

TEST(UniqueConflict, IsSkippedOrRefusedAsAsked) {
  Desk desk;
  const TaskId first = desk.submit(unique());
  const auto skipped = submit_unique(desk, unique({.on_conflict = OnConflict::skip}));
  EXPECT_EQ(skipped.outcome, SubmitOutcome::skipped);
  EXPECT_EQ(skipped.id, first);
  const auto position = desk.state().position;
  const auto refused =
      desk.ask(EnqueueTasks{{{.kind = "other"}, unique({.on_conflict = OnConflict::refuse})}});
  EXPECT_EQ(error_of(refused).code, ErrorCode::conflict);
  EXPECT_NE(error_of(refused).message.find("task 1, which is ready"), std::string::npos)
      << error_of(refused).message;
  EXPECT_EQ(desk.state().position, position) << "all or nothing";
}

TEST(UniqueConflict, ReplacesATaskThatWaits) {
  Desk desk;
  const TaskId first = desk.submit(unique());
  const auto second = submit_unique(desk, unique({.on_conflict = OnConflict::replace}));
  EXPECT_EQ(second.outcome, SubmitOutcome::enqueued);
  EXPECT_EQ(second.replaced, first);
  ASSERT_EQ(desk.last().size(), 2U);
  EXPECT_EQ(std::get<TaskCancelled>(desk.last()[0].body).reason, "replaced by task 2");
  EXPECT_EQ(desk.task(first).state, TaskState::cancelled);
  EXPECT_EQ(desk.task(second.id).state, TaskState::ready);
}

TEST(UniqueConflict, ReplacesATaskThatRunsAndWaitsForItsEnd) {
  Desk desk;
  const UniqueSpec replace{.on_conflict = OnConflict::replace};
  const TaskId first = running(desk, unique(replace));
  const TaskId second = desk.submit(unique(replace));
  EXPECT_EQ(desk.task(first).state, TaskState::cancelling);
  EXPECT_EQ(desk.task(second).state, TaskState::waiting);
  const auto third = submit_unique(desk, unique(replace));
  EXPECT_EQ(third.replaced, second);
  EXPECT_EQ(desk.task(second).state, TaskState::cancelled);
  EXPECT_TRUE(desk.start().empty()) << "the first one still runs";
  desk.finish(first, AttemptStatus::succeeded);
  EXPECT_EQ(desk.start(), (std::vector{third.id}));
}

TEST(UniqueConflict, IsNoneWithATaskThatWasToldToStop) {
  Desk desk;
  const TaskId first = running(desk, unique());
  desk.cancel(first);
  const auto second = submit_unique(desk, unique());
  EXPECT_EQ(second.outcome, SubmitOutcome::enqueued) << "that one will not do the work";
  EXPECT_EQ(desk.task(second.id).state, TaskState::waiting);
  desk.finish(first, AttemptStatus::succeeded);
  EXPECT_EQ(desk.task(second.id).state, TaskState::ready);
}

TEST(UniqueConflict, LeavesTheConditionsOfOtherDependencies) {
  Desk desk;
  const TaskId input = running(desk, {.kind = "input"});
  const TaskId first = running(desk, unique());
  auto next = unique({.on_conflict = OnConflict::replace});
  next.dependencies = {input};
  const TaskId second = desk.submit(next);
  desk.finish(first, AttemptStatus::error);
  EXPECT_EQ(desk.task(second).state, TaskState::waiting);
  desk.finish(input, AttemptStatus::error);
  desk.come_due();
  EXPECT_EQ(desk.task(second).state, TaskState::cancelled) << "its input has failed";
}

TEST(UniqueConflict, RefusesToReplaceWhatItDependsOn) {
  Desk desk;
  auto next = unique({.on_conflict = OnConflict::replace});
  next.dependencies = {desk.submit(unique())};
  const auto refused = desk.ask(EnqueueTasks{{next}});
  EXPECT_EQ(error_of(refused).code, ErrorCode::invalid);
  EXPECT_NE(error_of(refused).message.find("task 1, which it replaces"), std::string::npos);
}

TEST(UniqueConflict, IsFoundAmongTheTasksOfOneSubmission) {
  Desk desk;
  const auto replace = unique({.on_conflict = OnConflict::replace});
  TaskSpec after{.kind = "report", .dependencies = {InBatch{1}}};
  const auto submitted = desk.submit_all({unique(), unique(), after, replace, unique()});
  EXPECT_EQ(submitted[1].outcome, SubmitOutcome::existing);
  EXPECT_EQ(submitted[1].id, submitted[0].id);
  EXPECT_EQ(submitted[3].replaced, submitted[0].id);
  EXPECT_EQ(submitted[4].id, submitted[3].id);
  EXPECT_EQ(desk.state().tasks.all.size(), 3U);
  EXPECT_TRUE(desk.state().tasks.doomed.contains(submitted[2].id)) << "what it waits for is gone";
}

TEST(UniqueConflict, ComesBehindTheIdempotencyKey) {
  Desk desk;
  auto keyed = unique({.on_conflict = OnConflict::refuse});
  keyed.idempotency_key = "request 1";
  const TaskId first = desk.submit(keyed);
  const auto again = submit_unique(desk, keyed);
  EXPECT_EQ(again.outcome, SubmitOutcome::same_key);
  EXPECT_EQ(again.id, first);
  keyed.unique->on_conflict = OnConflict::existing;
  keyed.idempotency_key = "request 2";
  EXPECT_EQ(submit_unique(desk, keyed).outcome, SubmitOutcome::existing);
  EXPECT_FALSE(desk.state().tasks.keys.contains("request 2")) << "nothing was enqueued under it";
}

TEST(UniqueConflict, KeepsARetryFromMakingTwo) {
  Desk desk;
  const TaskId first = ended_as(desk, unique(), AttemptStatus::error);
  const TaskId second = ended_as(desk, unique(), AttemptStatus::error);
  const TaskId third = desk.submit(unique());
  const auto retry = [&](std::vector<TaskId> ids, bool skips) {
    return desk.ask(
        ChangeTasks{.ids = std::move(ids), .change = TaskChange::retry, .skips = skips});
  };
  const auto refused = retry({first}, false);
  EXPECT_EQ(error_of(refused).code, ErrorCode::conflict);
  EXPECT_NE(error_of(refused).message.find("task 3, which has not ended"), std::string::npos);
  desk.cancel(third);
  ASSERT_TRUE(retry({first, second}, true).has_value());
  EXPECT_EQ(desk.last().size(), 1U) << "one of the two";
  EXPECT_EQ(submit_unique(desk, unique()).id, first);
  EXPECT_TRUE(broken_invariants(desk.state()).empty());
}

// --- What makes no sense
// --------------------------------------------------------------------------

TEST(Uniqueness, IsRefusedWhereItMakesNoSense) {
  const auto code = [](const UniqueSpec& how) {
    Desk desk;
    return error_of(desk.ask(EnqueueTasks{{unique(how)}})).code;
  };
  EXPECT_EQ(code({.until = UniqueUntil::enqueued}), ErrorCode::invalid);
  EXPECT_EQ(code({.within = Duration(-1)}), ErrorCode::invalid);
  EXPECT_EQ(code({.within = limits::duration_max + Duration(1)}), ErrorCode::invalid);
  EXPECT_EQ(code({.key = std::string(limits::key_bytes_max + 1, 'k')}), ErrorCode::invalid);
}

TEST(Uniqueness, IsForTheOverlapOfASchedule) {
  Desk desk;
  const auto hourly = Recurrence::parse("every hour");
  ASSERT_TRUE(hourly.has_value());
  const auto refused =
      desk.ask(DefineSchedule{{.name = "hourly", .recurrence = *hourly, .task = unique()}});
  EXPECT_EQ(error_of(refused).code, ErrorCode::invalid);
}

TEST(Uniqueness, IsRefusedWhereReplacingTakesMoreThanABatch) {
  Desk desk;
  desk.submit(unique());
  EnqueueTasks all{std::vector<TaskSpec>(limits::submission_tasks_max, {.kind = "work"})};
  all.tasks.front() = unique({.on_conflict = OnConflict::replace});
  const auto position = desk.state().position;
  EXPECT_EQ(error_of(desk.ask(std::move(all))).code, ErrorCode::invalid);
  EXPECT_EQ(desk.state().position, position);
}

}  // namespace
}  // namespace almanac::test
