// Small work whose outcome can be worked out by hand. That a run under the recorded settings is
// what the engine did, is tests/simulation/what_if_test.cc.
#include <almanac/engine/limits.h>
#include <almanac/engine/what_if.h>
#include <almanac/tests/support/past_commands.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <span>

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
  EXPECT_EQ(report_of(tasks(3), {.slots = 1}).missed, std::nullopt);
  auto work = tasks(3);
  work.tasks[2].spec.deadline = noon + 29s;  // it ends a second later
  EXPECT_EQ(report_of(work, {.slots = 1}).missed, 1U);
  EXPECT_EQ(report_of(work, {.slots = 1, .deadline = 19s}).missed, 1U) << "its own counts";
}

TEST(WhatIf, KeepsToTheSlotsOfAQueueAndToWhatWasTypedInPlaceOfThoseRecorded) {
  auto work = tasks(3);
  work.settings.push_back({noon, {.queue = "default", .slots = 1}});
  EXPECT_EQ(report_of(work, {.slots = 8}).make_span, 30s);
  EXPECT_EQ(report_of(work, {.slots = 8, .queues = {{.queue = "default"}}}).make_span, 12s);
}

constexpr std::uint64_t gib = std::uint64_t{1} << 30U;

RecordedWork tasks_with_memory(std::size_t count, std::uint64_t bytes) {
  RecordedWork work = tasks(count);
  for (RecordedTask& task : work.tasks) task.spec.gpu_memory = {.bytes = bytes};
  return work;
}

TEST(WhatIf, RunsBesideEachOtherWhatHasRoomInTheMemoryOfTheGpu) {
  const WhatIfSettings settings{.slots = 8, .models = {.models = {}, .memory = 10 * gib}};
  EXPECT_EQ(report_of(tasks_with_memory(3, 6 * gib), settings).make_span, 30s);
  EXPECT_EQ(report_of(tasks_with_memory(3, 4 * gib), settings).make_span, 20s);
  EXPECT_EQ(report_of(tasks_with_memory(3, 3 * gib), settings).make_span, 12s);
  EXPECT_EQ(report_of(tasks_with_memory(3, 6 * gib), {.slots = 8}).make_span, 12s)
      << "without a GPU they ask for nothing";
}

TEST(WhatIf, FindsTheGpuInATraceThatBeginsAtTimeZero) {
  auto work = tasks_with_memory(3, 6 * gib);
  for (RecordedTask& task : work.tasks) task.arrived = Time(task.arrived - noon);
  const auto report = report_of(work, {.slots = 8, .models = {.models = {}, .memory = 10 * gib}});
  EXPECT_EQ(report.succeeded, 3U);
  ASSERT_EQ(report.starts.size(), 3U);
  EXPECT_GE(report.starts[2].at, Time(20s));
  EXPECT_LE(report.starts[2].at, Time(20s + 1ms));
}

std::vector<std::uint64_t> order(const RecordedWork& work, const ConfigureQueue& queue) {
  std::vector<std::uint64_t> ids;
  for (const WhatIfStart& start : report_of(work, {.slots = 1, .queues = {queue}}).starts) {
    ids.push_back(start.task.value);
  }
  return ids;
}

// The first task runs while four others gather.
TEST(WhatIf, ChoosesByThePolicyAndTheTermsOfTasks) {
  using Ids = std::vector<std::uint64_t>;
  auto work = tasks(5);
  for (std::size_t i = 1; i < 5; ++i) work.tasks[i].spec.owner = i < 4 ? "many" : "one";
  work.tasks[2].spec.priority = 5;
  work.tasks[3].spec.deadline = noon + 1h;
  work.tasks[4].spec.deadline = noon + 2h;
  work.tasks[1].spec.estimate = 1min;
  const auto by = [&](QueuePolicy policy) {
    return order(work, {.queue = "default", .policy = policy});
  };
  EXPECT_EQ(by(QueuePolicy::fifo), (Ids{1, 2, 3, 4, 5}));
  EXPECT_EQ(by(QueuePolicy::priority), (Ids{1, 3, 2, 4, 5}));
  EXPECT_EQ(by(QueuePolicy::deadline), (Ids{1, 4, 5, 2, 3}));
  EXPECT_EQ(by(QueuePolicy::fair), (Ids{1, 2, 5, 3, 4}));
  EXPECT_EQ(by(QueuePolicy::urgency), (Ids{1, 4, 5, 3, 2}));
}

TEST(WhatIf, GivesTasksThatHaveNoneADeadline) {
  auto work = tasks(3);
  work.tasks[2].spec.deadline = noon + 12s;
  WhatIfSettings settings{.slots = 1,
                          .queues = {{.queue = "default", .policy = QueuePolicy::deadline}}};
  EXPECT_EQ(report_of(work, settings).starts[1].task, TaskId(3));
  settings.deadline = 5s;
  EXPECT_EQ(report_of(work, settings).starts[1].task, TaskId(2));
}

// More than change their rank in one turn; the last of them is the first in the end.
TEST(WhatIf, ChangesTheOrderWhenTimeDoes) {
  auto work = tasks(limits::reranked_per_turn + 2);
  for (RecordedTask& task : work.tasks) {
    task.arrived = noon;
    task.spec.deadline = noon + 25h;
  }
  work.tasks.back().spec.priority = -1;
  work.tasks.back().spec.deadline = noon + 3h + 15min;
  work.changes = {{noon - 1s, PauseWork{PauseScope::queue, "default", true}},
                  {noon + 2h, PauseWork{PauseScope::queue, "default", false}}};
  EXPECT_EQ(order(work, {.queue = "default", .policy = QueuePolicy::urgency}).front(),
            work.tasks.size());
}

TEST(WhatIf, KeepsToLimitsAndToThoseTypedInPlaceOfTheRecordedOnes) {
  auto work = tasks(3);
  work.limits = {{noon - 1h, {"gpu", {.units = 2}}}, {noon + 1s, {"gpu", {.units = 2}}}};
  for (RecordedTask& task : work.tasks) task.spec.demands = {{"gpu", 1}};
  EXPECT_EQ(report_of(work, {.slots = 8}).make_span, 20s);
  EXPECT_EQ(report_of(work, {.slots = 8, .limits = {{"gpu", {.units = 1}}}}).make_span, 30s);
  EXPECT_EQ(report_of(work, {.slots = 8, .limits = {{"kind:work", {.units = 1}}}}).make_span, 30s);
}

TEST(WhatIf, WaitsForTokensWithNothingElseToHappen) {
  auto work = tasks(3);
  for (RecordedTask& task : work.tasks) task.arrived = noon;
  const ConfigureLimit slow{"kind:work", {.per_minute = 1, .burst = 1}};
  const auto report = report_of(work, {.slots = 8, .limits = {slow}});
  ASSERT_EQ(report.starts.size(), 3U);
  EXPECT_EQ(report.starts[2].at, noon + 2min);
  EXPECT_EQ(report.waits.max, 2min);
}

TEST(WhatIf, TakesTokensForProgramsAlsoBeforeTheFirstArrival) {
  auto work = tasks(1);
  work.limits = {{noon - 1h, {"mail", {.per_minute = 1, .burst = 1}}}};
  work.tasks[0].spec.demands = {{"mail", 1}};
  work.tasks[0].spec.run_at = noon + 1s;
  const auto begins = [&] { return report_of(work, {.slots = 1}).starts.front().at - noon; };
  EXPECT_EQ(begins(), 1s);
  work.changes = {{noon - 20s, TakeTokens{"mail", 1, noon - 20s}}};
  EXPECT_EQ(begins(), 40s);
  work.changes = {{noon, TakeTokens{"mail", 1, noon}}};
  EXPECT_EQ(begins(), 1min);
  work.changes = {{noon, TakeTokens{"mail", 2, noon}}};
  EXPECT_EQ(begins(), 1s) << "so many there never are";
}

TEST(WhatIf, RefusesWhatAnEngineWouldRefuseAndCancelsWhatDependsOnIt) {
  auto work = tasks(3);
  work.limits = {{noon - 1h, {"gpu", {.units = 4}}}};
  work.tasks[0].spec.demands = {{"gpu", 3}};
  work.tasks[1].spec.dependencies = {TaskId(1)};
  EXPECT_EQ(report_of(work, {.slots = 1}).refused, 0U);
  const auto report = report_of(work, {.slots = 1, .limits = {{"gpu", {.units = 2}}}});
  EXPECT_EQ(report.refused, 1U);
  EXPECT_EQ(report.cancelled, 1U);
  EXPECT_EQ(report.succeeded, 1U);
  EXPECT_EQ(report.starts.front(), (WhatIfStart{TaskId(3), noon + 2s}));
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

TEST(RecordedWork, HasAllSettingsOfQueuesAndTheLimits) {
  WorkRecorder recorder;
  std::uint64_t position = 0;
  const auto see = [&](const EventBody& body) {
    ++position;
    recorder.see({Position(position), {.at = noon + position * 1s, .body = body}});
  };
  const std::array owners = {QueueWeight{"a", 300}, QueueWeight{"b", 200}};
  const std::array demands = {Demand{"gpu", 2}};
  see(QueueConfigured{
      .queue = "q", .policy = QueuePolicy::fair, .weights = QueueWeightListView(owners)});
  see(QueueConfigured{.queue = "q",
                      .slots = 3,
                      .policy = QueuePolicy::fair,
                      .weights = QueueWeightListView(std::span(owners).first(1))});
  see(LimitConfigured{"gpu", 4, 60, 7});
  see(TokensTaken{"gpu", 2});
  see(TaskEnqueued{.id = TaskId(1),
                   .owner = "a",
                   .deadline = noon + 1h,
                   .estimate = 5min,
                   .demands = DemandListView(demands)});
  const RecordedWork work = recorder.finish();
  ASSERT_EQ(work.settings.size(), 2U);
  EXPECT_EQ(work.settings[1].queue.slots, 3U);
  EXPECT_EQ(work.settings[1].queue.policy, QueuePolicy::fair);
  const std::map<std::string, std::int32_t> weights = {{"a", 300}, {"b", owner_weight_default}};
  EXPECT_EQ(work.settings[1].queue.weights, weights) << "one that is not named has lost its own";
  ASSERT_EQ(work.limits.size(), 1U);
  EXPECT_EQ(work.limits[0].limit.setting, (LimitSetting{4, 60, 7}));
  EXPECT_EQ(std::get<TakeTokens>(work.changes.at(0).command).tokens, 2U);
  const TaskSpec& spec = work.tasks.at(0).spec;
  EXPECT_EQ(spec.owner, "a");
  EXPECT_EQ(spec.deadline, noon + 1h);
  EXPECT_EQ(spec.estimate, 5min);
  EXPECT_EQ(spec.demands, (std::vector<TaskDemand>{{"gpu", 2}}));
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
