// Attempts at workers elsewhere, as they are decided: who is given what, and what becomes of it.
#include <almanac/engine/core.h>
#include <almanac/engine/lease_waits.h>
#include <almanac/engine/limits.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

using Ids = std::vector<std::uint64_t>;

bool can_run_none(std::string_view) { return false; }

// A desk at which workers wait.
class LeaseDesk {
 public:
  explicit LeaseDesk(const DeskOptions& options = {}) : desk(options) {}

  LeaseWaits::Number wait(LeaseSpec spec, SteadyTime until = SteadyTime(1h)) {
    if (spec.worker.empty()) spec.worker = "w";
    waits.add(std::make_unique<Submission>(LeaseTasks{std::move(spec), until}, nullptr));
    return ++last_;
  }
  // Who was given which tasks; 0 = the engine itself.
  std::map<LeaseWaits::Number, Ids> start(const CanRun& can_run = can_run_none) {
    std::map<LeaseWaits::Number, Ids> given;
    const auto started = desk.start(can_run, &waits);
    for (std::size_t i = 0; i < started.size(); ++i) {
      const auto grant = std::ranges::find(desk.granted(), i, &Starts::Grant::event);
      given[grant == desk.granted().end() ? 0 : grant->worker].push_back(started[i].value);
    }
    return given;
  }
  // One of a kind that only workers run, at a worker.
  TaskId begin(TaskSpec spec = {}, LeaseSpec asked = {}) {
    if (spec.kind.empty()) spec.kind = "render";
    asked.kinds = {spec.kind};
    const TaskId id = desk.submit(std::move(spec));
    const auto number = wait(std::move(asked));
    EXPECT_EQ(start().size(), 1U);
    (void)waits.remove(number);
    return id;
  }
  Result<Answer> lapse(TaskId id) {
    return desk.ask(LapseLease{id, desk.token(desk.task(id).lease)});
  }

  Desk desk;
  LeaseWaits waits;

 private:
  LeaseWaits::Number last_ = 0;
};

using Given = std::map<LeaseWaits::Number, Ids>;

TEST(Leases, GiveAWorkerWhatNothingInTheEngineRuns) {
  LeaseDesk desk;
  const TaskId id = desk.desk.submit({.kind = "render", .timeout = 1min});
  EXPECT_EQ(desk.start(), Given());
  desk.wait({.worker = "render-1", .kinds = {"render"}, .lease_time = 7s});
  EXPECT_EQ(desk.start(), (Given{{1, {1}}}));
  const auto& start = std::get<TaskStarted>(desk.desk.last().front().body);
  EXPECT_EQ(start.worker, "render-1");
  EXPECT_EQ(start.lease_time, 7s);
  EXPECT_EQ(start.deadline, desk.desk.now + 1min);
  const RemoteLease* lease = desk.desk.state().tasks.remote.find(id);
  ASSERT_NE(lease, nullptr);
  EXPECT_EQ(lease->worker.view(), "render-1");
  EXPECT_EQ(lease->time, 7s);
}

TEST(Leases, TakeNoSlotOfTheEngine) {
  LeaseDesk desk({.slots = 1});
  for (int i = 0; i < 4; ++i) desk.desk.submit({.kind = "work"});
  desk.wait({.kinds = {"work"}, .tasks_max = 2});
  EXPECT_EQ(desk.start(can_run_all), (Given{{0, {1}}, {1, {2, 3}}}));
  EXPECT_EQ(desk.desk.state().tasks.running_here(), 1U);
  desk.desk.finish(TaskId(1), AttemptStatus::succeeded);
  EXPECT_EQ(desk.start(can_run_all), (Given{{0, {4}}}));
}

TEST(Leases, GiveNoMoreThanWasAskedForAndWhoCameFirstIsFirst) {
  LeaseDesk desk;
  for (int i = 0; i < 6; ++i) desk.desk.submit({.kind = "render"});
  desk.wait({.kinds = {"other"}, .tasks_max = 9});
  desk.wait({.kinds = {"render", "render"}, .tasks_max = 2});
  desk.wait({.kinds = {"other", "render"}, .tasks_max = 3});
  EXPECT_EQ(desk.start(), (Given{{2, {1, 2}}, {3, {3, 4, 5}}}));
}

TEST(Leases, AreOfAnyKindButCommandsWhereNoneIsNamed) {
  LeaseDesk desk;
  for (const char* kind : {"a", "command", "b", "a"}) desk.desk.submit({.kind = kind});
  desk.wait({.kinds = {"b"}, .tasks_max = 9});
  desk.wait({.kinds = {}, .tasks_max = 2});
  desk.wait({.kinds = {"a"}, .tasks_max = 9});
  EXPECT_EQ(desk.start(), (Given{{1, {3}}, {2, {1, 4}}}));
  desk.desk.submit({.kind = "a"});
  EXPECT_EQ(desk.start(), (Given{{2, {5}}}));
  (void)desk.waits.remove(2);
  desk.desk.submit({.kind = "b"});
  EXPECT_EQ(desk.start(), (Given{{1, {6}}}));
  EXPECT_TRUE(desk.waits.of_any().empty());
  // Who names commands takes them.
  desk.wait({.kinds = {"command"}});
  EXPECT_EQ(desk.start(), (Given{{4, {2}}}));
}

TEST(Leases, AreOfTheQueuesThatWereNamed) {
  LeaseDesk desk;
  desk.desk.submit({.kind = "render", .queue = "slow"});
  desk.desk.submit({.kind = "render", .queue = "fast"});
  desk.wait({.kinds = {"render"}, .queues = {"fast", "other"}, .tasks_max = 9});
  EXPECT_EQ(desk.start(), (Given{{1, {2}}}));
}

TEST(Leases, AreOfTheVersionsThatWereNamed) {
  LeaseDesk desk;
  for (const std::uint32_t version : {1U, 3U, 0U, 2U}) {
    desk.desk.submit({.kind = "render", .version = version});
  }
  const auto first = desk.wait({.kinds = {"render"}, .versions = {2, 2}, .tasks_max = 9});
  EXPECT_EQ(desk.start(), (Given{{1, {3, 4}}}));
  (void)desk.waits.remove(first);
  desk.wait({.kinds = {"render"}, .versions = {3, 0}, .tasks_max = 9});
  EXPECT_EQ(desk.start(), (Given{{2, {2}}}));
}

TEST(Leases, AreChosenAsAllStartsAre) {
  LeaseDesk desk;
  ASSERT_TRUE(desk.desk.ask(ConfigureQueue{"slow", 1}));
  ASSERT_TRUE(desk.desk.ask(ConfigureLimit{"gpu", {.units = 2}}));
  ASSERT_TRUE(desk.desk.ask(PauseWork{PauseScope::kind, "paused", true}));
  desk.desk.submit({.kind = "render", .queue = "slow", .priority = 1});
  desk.desk.submit({.kind = "render", .queue = "slow", .priority = 2});
  desk.desk.submit({.kind = "paused"});
  desk.desk.submit({.kind = "render", .demands = {{"gpu", 2}}});
  desk.desk.submit({.kind = "render", .demands = {{"gpu", 1}}});
  desk.wait({.kinds = {"render", "paused"}, .tasks_max = 9});
  EXPECT_EQ(desk.start(), (Given{{1, {2, 4}}}));
}

// What has no place to run keeps nothing for itself that another one could begin with.
TEST(Leases, AreNotHeldUpByWhatWaitsForASlotOfTheEngine) {
  LeaseDesk desk({.slots = 1});
  ASSERT_TRUE(desk.desk.ask(ConfigureLimit{"gpu", {.units = 1}}));
  desk.desk.submit({.kind = "here"});
  desk.desk.submit({.kind = "here", .priority = 9, .demands = {{"gpu", 1}}});
  desk.desk.submit({.kind = "render", .demands = {{"gpu", 1}}});
  const auto here = [](std::string_view kind) { return kind == "here"; };
  EXPECT_EQ(desk.start(here), (Given{{0, {2}}}));
  desk.desk.finish(TaskId(2), AttemptStatus::succeeded);
  EXPECT_EQ(desk.start(here), (Given{{0, {1}}}));
  desk.desk.submit({.kind = "here", .priority = 9, .demands = {{"gpu", 1}}});
  desk.wait({.kinds = {"render"}});
  EXPECT_EQ(desk.start(here), (Given{{1, {3}}}));
}

TEST(Leases, LeaveNoReasonToSayThatNobodyRunsAKind) {
  LeaseDesk desk;
  ASSERT_TRUE(desk.desk.ask(ConfigureQueue{"slow", 1}));
  desk.begin({.kind = "render", .queue = "slow"});
  desk.desk.submit({.kind = "render", .queue = "slow"});
  desk.desk.now += limits::reasons_interval;
  desk.wait({.kinds = {"render"}});
  ASSERT_EQ(desk.desk.record_reasons(can_run_none, &desk.waits).size(), 1U);
  EXPECT_EQ(std::get<LaneBlocked>(desk.desk.last().front().body).reason, LaneBlock::queue_slots);
  (void)desk.waits.remove(2);
  ASSERT_EQ(desk.desk.record_reasons(can_run_none, &desk.waits).size(), 1U);
  EXPECT_EQ(std::get<LaneBlocked>(desk.desk.last().front().body).reason, LaneBlock::handler);
}

TEST(Leases, OfASilentWorkerAreACrashOfIt) {
  LeaseDesk desk;
  const TaskId id = desk.begin({}, {.worker = "render-1", .lease_time = 1500ms});
  ASSERT_TRUE(desk.lapse(id));
  const auto& back = std::get<TaskHandedBack>(desk.desk.last().front().body);
  EXPECT_EQ(back.reason, HandBackReason::silent);
  EXPECT_EQ(back.crashes, 1U);
  EXPECT_EQ(back.end.status, AttemptStatus::crashed);
  EXPECT_EQ(back.end.message, "worker \"render-1\" was silent for 1500 ms");
  EXPECT_EQ(desk.desk.task(id).state, TaskState::ready);
  EXPECT_EQ(desk.desk.task(id).failures, 0U);
  EXPECT_TRUE(desk.desk.state().tasks.remote.empty());
}

TEST(Leases, ThatLapseTooOftenAreTheFailureOfTheTask) {
  LeaseDesk desk;
  const TaskId id = desk.desk.submit({.kind = "render", .crashes_max = 2});
  for (int i = 0; i < 2; ++i) {
    const auto number = desk.wait({.kinds = {"render"}});
    ASSERT_EQ(desk.start().size(), 1U);
    (void)desk.waits.remove(number);
    ASSERT_TRUE(desk.lapse(id));
  }
  const auto& failed = std::get<TaskFailed>(desk.desk.last().front().body);
  EXPECT_EQ(failed.crashes, 2U);
  EXPECT_EQ(failed.end.message, "crash 2 of 2: worker \"w\" was silent for 30 s");
}

TEST(Leases, OfATaskThatIsToStopEndItWhenTheyLapse) {
  LeaseDesk desk;
  const TaskId id = desk.begin();
  desk.desk.cancel(id);
  ASSERT_TRUE(desk.lapse(id));
  EXPECT_EQ(desk.desk.task(id).state, TaskState::cancelled);
}

TEST(Leases, LapseOnceAndOnlyWhereTheyAreAWorkers) {
  LeaseDesk desk;
  const TaskId id = desk.begin();
  const FencingToken token = desk.desk.token(desk.desk.task(id).lease);
  FencingToken foreign = token;
  foreign.timeline.fill(std::byte{9});
  EXPECT_EQ(error_of(desk.desk.ask(LapseLease{id, foreign})).code, ErrorCode::refused);
  ASSERT_TRUE(desk.desk.ask(LapseLease{id, token}));
  EXPECT_EQ(error_of(desk.desk.ask(LapseLease{id, token})).code, ErrorCode::refused);
  const TaskId here = desk.desk.submit({.kind = "work"});
  EXPECT_EQ(desk.start([](std::string_view kind) { return kind == "work"; }).at(0),
            Ids{here.value});
  EXPECT_EQ(error_of(desk.lapse(here)).code, ErrorCode::refused);
}

TEST(Leases, GoOnWithTheNextEngine) {
  LeaseDesk desk({.slots = 1});
  const TaskId remote = desk.begin();
  const TaskId stopping = desk.begin();
  desk.desk.cancel(stopping);
  const TaskId here = desk.desk.submit({.kind = "work"});
  desk.start([](std::string_view kind) { return kind == "work"; });
  const FencingToken token = desk.desk.token(desk.desk.task(remote).lease);
  ASSERT_TRUE(desk.desk.ask(StartEngine{.version = "next", .slots = 1, .seed = 7}));
  EXPECT_EQ(desk.desk.task(here).state, TaskState::ready);
  EXPECT_EQ(desk.desk.task(remote).state, TaskState::running);
  EXPECT_EQ(desk.desk.task(stopping).state, TaskState::cancelling);
  ASSERT_TRUE(desk.desk.ask(FinishAttempt{remote, token, {.result = "done"}}));
  EXPECT_EQ(desk.desk.task(remote).state, TaskState::succeeded);
}

TEST(Leases, AreOfAWorkerThatSaysWhoItIsAndWhatItWants) {
  LeaseDesk desk;
  const std::string long_name(limits::name_bytes_max + 1, 'n');
  const LeaseSpec good{.worker = "w", .kinds = {"render"}};
  const auto changed = [&](auto change) {
    LeaseSpec spec = good;
    change(spec);
    return error_of(desk.desk.ask(LeaseTasks{spec, {}})).code;
  };
  ASSERT_TRUE(desk.desk.ask(LeaseTasks{good, {}}));
  const std::vector<std::function<void(LeaseSpec&)>> bad = {
      [](LeaseSpec& spec) { spec.worker.clear(); },
      [&](LeaseSpec& spec) { spec.worker = long_name; },
      [](LeaseSpec& spec) { spec.kinds.emplace_back(); },
      [&](LeaseSpec& spec) { spec.queues = {long_name}; },
      [](LeaseSpec& spec) { spec.kinds.resize(limits::lease_names_max + 1, "k"); },
      [](LeaseSpec& spec) { spec.versions = {2, 1}; },
      [](LeaseSpec& spec) { spec.tasks_max = 0; },
      [](LeaseSpec& spec) { spec.tasks_max = limits::lease_tasks_max + 1; },
      [](LeaseSpec& spec) { spec.lease_time = limits::lease_time_min - Duration(1); },
      [](LeaseSpec& spec) { spec.lease_time = limits::lease_time_max + Duration(1); },
  };
  for (std::size_t i = 0; i < bad.size(); ++i) {
    EXPECT_EQ(changed(bad[i]), ErrorCode::invalid) << "number " << i;
  }
}

TEST(Leases, AreNoMoreThanTheCeiling) {
  LeaseDesk desk;
  const std::vector<TaskSpec> many(limits::leases_max, TaskSpec{.kind = "render"});
  desk.desk.submit_all(many);
  const TaskId last = desk.desk.submit({.kind = "render"});
  const LeaseSpec spec{.kinds = {"render"}, .tasks_max = limits::lease_tasks_max};
  for (std::size_t asked = 0; asked <= limits::leases_max; asked += spec.tasks_max) desk.wait(spec);
  EXPECT_EQ(desk.desk.start(can_run_none, &desk.waits).size(), limits::leases_max);
  EXPECT_TRUE(desk.desk.start(can_run_none, &desk.waits).empty());
  desk.desk.finish(TaskId(7), AttemptStatus::succeeded);
  EXPECT_EQ(desk.desk.start(can_run_none, &desk.waits), std::vector{last});
}

// Some kinds run here as well; some workers take one queue alone.
RC_GTEST_PROP(Leases, LeaveNothingThatAnybodyWhoHasRoomWouldTake, ()) {
  const auto drawn = [](std::uint32_t below) { return *rc::gen::inRange(0U, below); };
  const std::vector<std::string> names = {"a", "b", "c"};
  LeaseDesk desk({.slots = 1 + drawn(3)});
  for (auto left = drawn(20); left > 0; --left) {
    desk.desk.submit({.kind = names[drawn(3)],
                      .queue = names[drawn(2)],
                      .priority = static_cast<std::int32_t>(drawn(3)),
                      .version = drawn(3)});
  }
  std::vector<LeaseSpec> asked;
  for (auto left = drawn(4); left > 0; --left) {
    LeaseSpec spec{.kinds = {names[drawn(3)], names[drawn(3)]}, .tasks_max = 1 + drawn(4)};
    if (drawn(3) == 0) spec.kinds.clear();
    if (drawn(2) == 0) spec.queues = {names[drawn(2)]};
    if (drawn(2) == 0) spec.versions.max = 1;
    desk.wait(spec);
    asked.push_back(spec);
  }
  const auto here = [](std::string_view kind) { return kind == "a"; };
  const auto given = desk.start(here);
  const auto room = [&](LeaseWaits::Number place) {
    const std::size_t most =
        place == 0 ? desk.desk.state().engine.slots : asked[place - 1].tasks_max;
    const auto entry = given.find(place);
    return most - (entry == given.end() ? 0 : entry->second.size());
  };
  const auto takes = [&](LeaseWaits::Number place, TaskId id) {
    const Task& task = desk.desk.task(id);
    const std::string kind(desk.desk.state().names.text(task.kind));
    if (place == 0) return here(kind);
    const LeaseSpec& spec = asked[place - 1];
    const std::string queue(desk.desk.state().names.text(task.queue));
    return (spec.kinds.empty() || std::ranges::find(spec.kinds, kind) != spec.kinds.end()) &&
           (spec.queues.empty() || spec.queues.front() == queue) &&
           spec.versions.takes(lane_of(desk.desk.state().tasks, id, task).version);
  };
  for (const auto& [place, ids] : given) {
    RC_ASSERT(room(place) <= limits::lease_tasks_max);  // never less than none
    for (std::uint64_t id : ids) RC_ASSERT(takes(place, TaskId(id)));
  }
  for (const auto& [id, task] : desk.desk.state().tasks.all) {
    if (task.state != TaskState::ready) continue;
    for (LeaseWaits::Number place = 0; place <= asked.size(); ++place) {
      RC_ASSERT(room(place) == 0 || !takes(place, id));
    }
  }
}

TEST(LeaseWaits, AreOverWhenTheirTimeIsUp) {
  LeaseDesk desk;
  desk.wait({.kinds = {"a"}}, SteadyTime(3s));
  desk.wait({.kinds = {"a", "b"}}, SteadyTime(2s));
  EXPECT_EQ(desk.waits.next_due(), SteadyTime(2s));
  EXPECT_EQ(desk.waits.remove_late(SteadyTime(2s - 1us)), nullptr);
  const auto late = desk.waits.remove_late(SteadyTime(2s));
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(std::get<LeaseTasks>(late->command).spec.kinds.size(), 2U);
  EXPECT_EQ(desk.waits.of("a").size(), 1U);
  EXPECT_TRUE(desk.waits.of("b").empty());
  EXPECT_EQ(desk.waits.remove_all().size(), 1U);
  EXPECT_TRUE(desk.waits.empty());
  EXPECT_TRUE(desk.waits.of("a").empty());
  EXPECT_FALSE(desk.waits.next_due());
}

}  // namespace
}  // namespace almanac::test
