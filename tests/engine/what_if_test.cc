// Small work whose outcome can be worked out by hand. That a run under the recorded settings is
// what the engine did, is tests/simulation/what_if_test.cc.
#include <almanac/engine/what_if.h>
#include <almanac/tests/support/past_commands.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

constexpr Time noon(std::chrono::seconds(1'700'000'000));

// Tasks that arrive one second after the other and take ten.
RecordedWork tasks(std::size_t count) {
  RecordedWork work;
  for (std::size_t i = 0; i < count; ++i) {
    RecordedTask task{.arrived = noon + i * 1s, .spec = {.kind = "work"}, .cancelled = {}};
    task.attempts = {{.took = 10s}};
    work.tasks.push_back(task);
  }
  return work;
}

WhatIfReport report_of(const RecordedWork& work, const WhatIfSettings& settings) {
  auto report = what_if(work, settings);
  EXPECT_TRUE(report) << report.error().message;
  return report.value_or(WhatIfReport());
}

TEST(WhatIf, TellsWhatOneSlotAndTwoMakeOfTheSameWork) {
  const auto one = report_of(tasks(3), {.slots = 1});
  EXPECT_EQ(one.waits.p50, 9s);
  EXPECT_EQ(one.waits.max, 18s);
  EXPECT_EQ(one.waits.mean, 9s);
  EXPECT_EQ(one.make_span, 30s);
  EXPECT_EQ(one.busy, 30s);
  EXPECT_DOUBLE_EQ(one.utilisation, 1);
  EXPECT_EQ(one.succeeded, 3U);
  const auto two = report_of(tasks(3), {.slots = 2});
  EXPECT_EQ(two.waits.max, 8s);
  EXPECT_EQ(two.make_span, 20s);
  EXPECT_DOUBLE_EQ(two.utilisation, 0.75);
}

TEST(WhatIf, CountsWhatEndsLaterThanTheDeadline) {
  EXPECT_EQ(report_of(tasks(3), {.slots = 1, .deadline = 19s}).missed, 1U);
  EXPECT_EQ(report_of(tasks(3), {.slots = 1, .deadline = 28s}).missed, 0U);
  EXPECT_EQ(report_of(tasks(3), {.slots = 1}).missed, 0U);
}

TEST(WhatIf, KeepsToTheSlotsOfAQueueAndToWhatWasTypedInPlaceOfThoseRecorded) {
  auto work = tasks(3);
  work.settings.push_back({noon, {.queue = "default", .slots = 1}});
  EXPECT_EQ(report_of(work, {.slots = 8}).make_span, 30s);
  EXPECT_EQ(report_of(work, {.slots = 8, .queues = {{.queue = "default"}}}).make_span, 12s);
}

TEST(WhatIf, WaitsForDependenciesAndCountsThatAsNoWaitForASlot) {
  auto work = tasks(2);
  work.tasks[1].spec.dependencies = {TaskId(1)};
  const auto report = report_of(work, {.slots = 8});
  EXPECT_EQ(report.starts.back(), (WhatIfStart{TaskId(2), noon + 10s}));
  EXPECT_EQ(report.waits.max, 0s);
}

TEST(WhatIf, RepeatsAttemptsAsTheyWentAndTheLastOneForAllThatFollow) {
  auto work = tasks(1);
  work.tasks[0].spec.attempts_max = 3;
  work.tasks[0].spec.backoff = {.initial = 0s, .max = 0s};
  work.tasks[0].attempts = {{.took = 1s, .status = AttemptStatus::error}, {.took = 5s}};
  const auto report = report_of(work, {.slots = 1});
  EXPECT_EQ(report.succeeded, 1U);
  EXPECT_EQ(report.busy, 6s);
  work.tasks[0].attempts.pop_back();
  EXPECT_EQ(report_of(work, {.slots = 1}).failed, 1U);
}

TEST(WhatIf, CancelsWhenThatWasAskedForWhateverTheTaskDoesThen) {
  auto work = tasks(2);
  work.tasks[1].cancelled = noon + 5s;
  EXPECT_EQ(report_of(work, {.slots = 1}).busy, 10s);  // it never ran
  work.tasks[1].stopping = 2s;
  const auto report = report_of(work, {.slots = 2});
  EXPECT_EQ(report.busy, 16s);  // it ran for four seconds, and two more
  EXPECT_EQ(report.cancelled, 1U);
}

TEST(WhatIf, WaitsForTheEndsThatConditionsAsk) {
  auto work = tasks(3);
  work.tasks[0].attempts = {{.took = 10s, .status = AttemptStatus::error}};
  work.tasks[1].spec.dependencies = work.tasks[2].spec.dependencies = {TaskId(1)};
  work.tasks[1].spec.conditions = {DependencyCondition::failure};
  work.tasks[2].spec.conditions = {DependencyCondition::success_in_the_end};
  const auto report = report_of(work, {.slots = 8});
  EXPECT_EQ(report.starts.back(), (WhatIfStart{TaskId(2), noon + 10s}));
  EXPECT_EQ(report.unfinished, 1U);
  work.changes.push_back(
      {noon + 1min, ChangeTasks{.ids = {TaskId(1)}, .change = TaskChange::retry, .skips = true}});
  work.tasks[0].attempts.push_back({.took = 5s});
  EXPECT_EQ(report_of(work, {.slots = 8}).starts.back(), (WhatIfStart{TaskId(3), noon + 65s}));
}

TEST(WhatIf, CancelsWhatExpiresByItsOwnClock) {
  auto work = tasks(2);
  work.tasks[1].spec.expires_at = noon + 5s;
  EXPECT_EQ(report_of(work, {.slots = 1}).cancelled, 1U);
  EXPECT_EQ(report_of(work, {.slots = 2}).cancelled, 0U);
}

TEST(WhatIf, PausesAndResumesWhenThatWasAskedFor) {
  auto work = tasks(1);
  work.changes = {{noon - 1s, PauseWork{PauseScope::queue, "default", true}},
                  {noon + 1h, PauseWork{PauseScope::queue, "default", false}}};
  EXPECT_EQ(report_of(work, {.slots = 1}).starts.front().at, noon + 1h);
}

TEST(WhatIf, SnoozesAsOftenAsThatWasAskedForAndComesToAnEnd) {
  auto work = tasks(1);
  work.tasks[0].attempts = {{.took = 1s, .snoozed = 1min}, {.took = 2s, .snoozed = 0s}};
  const auto report = report_of(work, {.slots = 1});
  EXPECT_EQ(report.starts.size(), 3U);
  EXPECT_EQ(report.starts[1].at, noon + 61s);
  EXPECT_EQ(report.succeeded, 1U);
}

TEST(WhatIf, TriesNothingAgainThatFailedForGood) {
  auto work = tasks(1);
  work.tasks[0].spec.attempts_max = 5;
  work.tasks[0].attempts = {{.took = 1s, .status = AttemptStatus::error, .permanent = true}};
  EXPECT_EQ(report_of(work, {.slots = 1}).starts.size(), 1U);
}

TEST(WhatIf, SaysHowManyWaitForASlotFromWhen) {
  const auto report = report_of(tasks(2), {.slots = 1});
  ASSERT_EQ(report.backlog.size(), 3U);
  EXPECT_EQ(report.backlog[1].at, noon + 1s);
  EXPECT_EQ(report.backlog[1].ready, 1U);
  EXPECT_EQ(report.backlog[2].ready, 0U);
}

TEST(WhatIf, RefusesWorkThatNoEngineTakes) {
  EXPECT_EQ(what_if({}, {.slots = 1}).error().code, ErrorCode::invalid);
  EXPECT_EQ(what_if(tasks(1), {}).error().code, ErrorCode::invalid);
  auto work = tasks(1);
  work.tasks[0].spec.kind.clear();
  EXPECT_EQ(what_if(work, {.slots = 1}).error().code, ErrorCode::invalid);
}

TEST(RecordedWork, TakesTheMiddleOneOfTheKindWhereNoAttemptIsKnown) {
  auto work = tasks(4);
  work.tasks[0].attempts[0].took = 1s;
  work.tasks[1].attempts[0].took = 3s;
  work.tasks[2].attempts[0].took = 20s;
  work.tasks[3].attempts.clear();
  work.assume_attempts();
  EXPECT_EQ(work.assumed, 1U);
  EXPECT_EQ(work.tasks[3].attempts[0].took, 3s);
}

TEST(RecordedWork, TellsWhatExpiredFromWhatSomebodyCancelled) {
  const auto cancelled = [](Time at) {
    WorkRecorder recorder;
    recorder.see({Position(1),
                  {.at = noon, .body = TaskEnqueued{.id = TaskId(1), .expires_at = noon + 1min}}});
    recorder.see({Position(2), {.at = at, .body = TaskCancelled{.id = TaskId(1)}}});
    return recorder.finish().tasks.front().cancelled;
  };
  EXPECT_EQ(cancelled(noon + 1s), noon + 1s);
  EXPECT_EQ(cancelled(noon + 1min), std::nullopt);
}

TEST(RecordedWork, HasWhatWasRetriedPausedAndSnoozed) {
  WorkRecorder recorder;
  std::uint64_t position = 0;
  const auto see = [&](const EventBody& body) {
    ++position;
    recorder.see({Position(position), {.at = noon + position * 1s, .body = body}});
  };
  see(TaskEnqueued{.id = TaskId(7), .attempts_max = 3});
  see(WorkPaused{PauseScope::kind, "work"});
  see(TaskHeld{.id = TaskId(7), .reason = HoldReason::paused});
  see(TaskReleased{TaskId(7)});
  see(TaskStarted{TaskId(7), 1, {}});
  see(TaskSnoozed{TaskId(7), Lease(5), noon + 1min});
  see(TaskStarted{TaskId(7), 2, {}});
  see(TaskFailed{.id = TaskId(7), .lease = Lease(7), .crashes = 3});
  see(TaskRedriven{TaskId(7), "again"});
  const RecordedWork work = recorder.finish();
  ASSERT_EQ(work.changes.size(), 4U);
  EXPECT_EQ(std::get<PauseWork>(work.changes[0].command).scope, PauseScope::kind);
  const std::array changes = {TaskChange::pause, TaskChange::resume, TaskChange::retry};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& change = std::get<ChangeTasks>(work.changes[i + 1].command);
    EXPECT_EQ(change.change, changes[i]);
    EXPECT_EQ(change.ids, std::vector{TaskId(1)}) << "its number in the work";
  }
  const auto& attempts = work.tasks.front().attempts;
  ASSERT_EQ(attempts.size(), 2U);
  EXPECT_EQ(attempts[0].snoozed, 54s);
  EXPECT_TRUE(attempts[1].permanent);
}

// told_events(): one event a minute.
TEST(RecordedWork, IsReadFromALog) {
  TempFolder folder;
  write_frames(folder / "log", {told_events()});
  const auto log = Log::open(folder / "log", {.access = Access::read});
  ASSERT_TRUE(log);
  const auto all = read_work(**log, Position(1), Position(UINT64_MAX));
  ASSERT_TRUE(all);
  ASSERT_EQ(all->tasks.size(), 4U);
  EXPECT_EQ(all->slots, 2U);
  EXPECT_EQ(all->tasks[1].spec.dependencies, std::vector<Dependency>{TaskId(1)});
  ASSERT_EQ(all->tasks[1].attempts.size(), 2U);
  EXPECT_EQ(all->tasks[1].attempts[0].took, 1min);
  EXPECT_EQ(all->tasks[1].attempts[0].status, AttemptStatus::exited);
  // Without the first task nothing has to wait for it.
  const auto later = read_work(**log, Position(4), Position(UINT64_MAX));
  ASSERT_TRUE(later);
  ASSERT_EQ(later->tasks.size(), 3U);
  EXPECT_TRUE(later->tasks[0].spec.dependencies.empty());
}

}  // namespace
}  // namespace almanac::test
