// Workers elsewhere, in a whole engine: they wait for tasks, live by heartbeats, tell of their
// attempts, and lose those they are silent about.
#include <almanac/tests/support/engine_fixture.h>

#include <gtest/gtest.h>

#include <future>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class EngineLeases : public EngineTest {
 protected:
  [[nodiscard]] static LeaseSpec render(Duration lease_time = 1min) {
    return {.worker = "render-1", .kinds = {"render"}, .lease_time = lease_time};
  }
  LeasedTask lease(LeaseSpec spec) {
    auto leased = engine->lease(std::move(spec));
    EXPECT_TRUE(leased.has_value()) << describe(leased.error());
    EXPECT_EQ(leased->size(), 1U);
    return leased->front();
  }
  // Submitted and leased.
  LeasedTask begin(TaskSpec spec = {}, Duration lease_time = 1min) {
    spec.kind = "render";
    submit(std::move(spec));
    return lease(render(lease_time));
  }
  LeaseStatus beat(const HeldLease& lease) {
    auto answers = engine->heartbeat({lease});
    EXPECT_TRUE(answers.has_value()) << describe(answers.error());
    return answers->front();
  }
};

TEST_F(EngineLeases, RunWhatNoHandlerOfTheEngineDoes) {
  open();
  const TaskId part =
      submit({.kind = "render", .queue = "slow", .label = "the cover", .payload = "page 7"});
  const LeasedTask leased = lease(render());
  EXPECT_EQ(leased.lease.id, part);
  EXPECT_EQ(leased.attempt, 1U);
  EXPECT_EQ(leased.kind, "render");
  EXPECT_EQ(leased.queue, "slow");
  EXPECT_EQ(leased.label, "the cover");
  EXPECT_EQ(leased.payload, "page 7");
  EXPECT_EQ(leased.lease_time, 1min);
  EXPECT_EQ(leased.deadline, Time());
  EXPECT_EQ(leased.dependencies, "");
  ASSERT_TRUE(engine->finish(leased.lease, Outcome::success("rendered")));
  EXPECT_EQ(task(part).state, TaskState::succeeded) << "it is there when it is answered";
  EXPECT_EQ(outcome(part).result, "rendered");
  EXPECT_EQ(history(part), "TaskEnqueued TaskStarted TaskSucceeded");
}

// The engine has at hand what was submitted lately, as far as it is little; the rest it reads.
TEST_F(EngineLeases, AreGivenWhatWasSubmittedHoweverLongAgoAndHoweverLarge) {
  open({.slots = 1});
  const auto payload = [](int i) {
    const std::size_t bytes = i % 10 == 7 ? 2 * limits::mebibyte : 1;
    return "page " + std::to_string(i) + std::string(bytes, char('a' + i % 26));
  };
  constexpr int count = 100;
  for (int i = 0; i < count; ++i) submit({.kind = "render", .payload = payload(i)});
  for (int i = 0; i < count; ++i) {
    const LeasedTask leased = lease(render());
    ASSERT_EQ(leased.payload, payload(i));
    ASSERT_TRUE(engine->finish(leased.lease, Outcome::success()));
  }
  for (int i = 0; i < count; ++i) {
    const LeasedTask leased = begin({.payload = payload(i)});
    ASSERT_EQ(leased.payload, payload(i)) << "at once";
    ASSERT_TRUE(engine->finish(leased.lease, Outcome::success()));
  }
}

TEST_F(EngineLeases, AreShownWhatTheirTaskDependsOn) {
  open();
  const LeasedTask part = begin();
  const TaskId whole = submit({.kind = "render", .dependencies = {part.lease.id}});
  ASSERT_TRUE(engine->finish(part.lease, Outcome::success("half")));
  const LeasedTask leased = lease(render());
  EXPECT_EQ(leased.lease.id, whole);
  EXPECT_NE(leased.dependencies.find(R"("result":"half")"), std::string::npos)
      << leased.dependencies;
}

TEST_F(EngineLeases, AreManyInOneCall) {
  open({.slots = 1});
  for (int i = 0; i < 5; ++i) submit({.kind = "render"});
  LeaseSpec spec = render();
  spec.tasks_max = 4;
  const auto leased = engine->lease(spec);
  ASSERT_TRUE(leased);
  ASSERT_EQ(leased->size(), 4U);
  std::vector<HeldLease> leases;
  for (const LeasedTask& one : *leased) leases.push_back(one.lease);
  leases.push_back({TaskId(5), leases.front().token});
  const auto answers = engine->heartbeat(leases);
  ASSERT_TRUE(answers);
  using enum LeaseStatus;
  EXPECT_EQ(*answers, (std::vector{held, held, held, held, gone}));
}

TEST_F(EngineLeases, AreWaitedForUntilThereIsATask) {
  open();
  std::promise<Result<std::vector<LeasedTask>>> answer;
  engine->lease(render(), [&](Result<std::vector<LeasedTask>> leased) {
    answer.set_value(std::move(leased));
  });
  const TaskId id = submit({.kind = "render"});
  const auto leased = answer.get_future().get();
  ASSERT_TRUE(leased);
  ASSERT_EQ(leased->size(), 1U);
  EXPECT_EQ(leased->front().lease.id, id);
}

TEST_F(EngineLeases, AreNoneWhereTheTimeIsUp) {
  open();
  for (const auto timeout : {0ms, 20ms}) {
    LeaseSpec spec = render();
    spec.timeout = timeout;
    const auto leased = engine->lease(spec);
    ASSERT_TRUE(leased);
    EXPECT_TRUE(leased->empty());
  }
  submit({.kind = "render"});
  LeaseSpec spec = render();
  spec.timeout = 0ms;
  EXPECT_EQ(engine->lease(spec)->size(), 1U) << "what is there is given without a wait";
}

TEST_F(EngineLeases, OfASilentWorkerAreTakenBack) {
  open();
  const LeasedTask first = begin({}, 50ms);
  wait_for(first.lease.id, TaskState::ready);
  EXPECT_EQ(*engine->state()->tasks.crashes.find(first.lease.id), 1U);
  EXPECT_EQ(task(first.lease.id).failures, 0U);
  EXPECT_EQ(beat(first.lease), LeaseStatus::gone);
  const LeasedTask second = lease(render());
  EXPECT_EQ(second.lease.id, first.lease.id);
  EXPECT_EQ(second.attempt, 2U);
  const auto late = engine->finish(first.lease, Outcome::success("late"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::refused);
  ASSERT_TRUE(engine->finish(second.lease, Outcome::success("in time")));
  EXPECT_EQ(outcome(first.lease.id).result, "in time");
  EXPECT_EQ(history(first.lease.id),
            "TaskEnqueued TaskStarted TaskHandedBack TaskStarted TaskSucceeded");
}

TEST_F(EngineLeases, GoOnAsLongAsTheirWorkerSaysThatItLivesAndLeaveNothingInTheLog) {
  open();
  const LeasedTask leased = begin({}, 1s);
  const Position before = engine->state()->position;
  const auto end = std::chrono::steady_clock::now() + 2500ms;
  while (std::chrono::steady_clock::now() < end) {
    ASSERT_EQ(beat(leased.lease), LeaseStatus::held);
  }
  EXPECT_EQ(engine->state()->position, before);
  ASSERT_TRUE(engine->finish(leased.lease, Outcome::success()));
}

TEST_F(EngineLeases, DoNotLapseByAJumpOfTheWallClock) {
  open_on_manual_clock();
  const LeasedTask leased = begin();
  advance(24h);
  EXPECT_EQ(beat(leased.lease), LeaseStatus::held);
  EXPECT_EQ(task(leased.lease.id).state, TaskState::running);
}

TEST_F(EngineLeases, LearnThatTheirTaskIsToStop) {
  open();
  const LeasedTask leased = begin();
  ASSERT_TRUE(engine->cancel(leased.lease.id));
  EXPECT_EQ(beat(leased.lease), LeaseStatus::cancelled);
  ASSERT_TRUE(engine->finish(leased.lease, Outcome::success("too far to stop")));
  EXPECT_EQ(task(leased.lease.id).state, TaskState::cancelled);
  EXPECT_EQ(beat(leased.lease), LeaseStatus::gone);
}

TEST_F(EngineLeases, OfATaskThatIsToStopEndThoughTheirWorkerLives) {
  open();
  const LeasedTask leased = begin({}, 50ms);
  ASSERT_TRUE(engine->cancel(leased.lease.id));
  while (beat(leased.lease) == LeaseStatus::cancelled) {}
  EXPECT_EQ(wait_until_ended(leased.lease.id).state, TaskState::cancelled);
}

TEST_F(EngineLeases, EndAtTheDeadlineOfTheAttempt) {
  open_on_manual_clock();
  const LeasedTask leased = begin({.attempts_max = 1, .timeout = 1h});
  EXPECT_EQ(leased.deadline, clock.now() + 1h);
  advance(1h);
  EXPECT_EQ(wait_until_ended(leased.lease.id).state, TaskState::failed);
  EXPECT_EQ(outcome(leased.lease.id).status, AttemptStatus::timed_out);
  EXPECT_EQ(beat(leased.lease), LeaseStatus::gone);
}

TEST_F(EngineLeases, TellHowFarTheyAre) {
  open_on_manual_clock();
  const LeasedTask leased = begin();
  ASSERT_TRUE(engine->report_progress(leased.lease, {.fraction = 0.25, .message = "1 of 4"}));
  EXPECT_EQ(engine->state()->tasks.progress.find(leased.lease.id)->permille, 250);
  ASSERT_TRUE(engine->report_progress(leased.lease, {.fraction = 0.5})) << "so soon it is dropped";
  EXPECT_EQ(engine->state()->tasks.progress.find(leased.lease.id)->permille, 250);
}

TEST_F(EngineLeases, FailAndSnoozeAsHandlersDo) {
  open_on_manual_clock();
  const LeasedTask first = begin({.attempts_max = 2});
  ASSERT_TRUE(engine->finish(first.lease, Outcome::snooze(clock.now() + 1h)));
  EXPECT_EQ(task(first.lease.id).state, TaskState::delayed);
  advance(1h);
  const LeasedTask second = lease(render());
  ASSERT_TRUE(engine->finish(second.lease, Outcome::permanent_failure("no such page")));
  EXPECT_EQ(task(first.lease.id).state, TaskState::failed);
  EXPECT_EQ(outcome(first.lease.id).message, "no such page");
}

TEST_F(EngineLeases, GivenBackCountForNothing) {
  open();
  const LeasedTask first = begin();
  ASSERT_TRUE(engine->give_back(first.lease));
  EXPECT_EQ(task(first.lease.id).state, TaskState::ready);
  EXPECT_EQ(engine->state()->tasks.crashes.find(first.lease.id), nullptr);
  EXPECT_EQ(lease(render()).attempt, 2U);
}

TEST_F(EngineLeases, AreRefusedWithATokenThatIsNone) {
  open();
  const LeasedTask leased = begin();
  HeldLease foreign = leased.lease;
  foreign.token.timeline.fill(std::byte{9});
  const HeldLease other{leased.lease.id.next(), leased.lease.token};
  for (const HeldLease& wrong : {foreign, other, HeldLease{}}) {
    EXPECT_EQ(beat(wrong), LeaseStatus::gone);
    EXPECT_EQ(engine->finish(wrong, Outcome::success()).error().code, ErrorCode::refused);
    EXPECT_EQ(engine->give_back(wrong).error().code, ErrorCode::refused);
    EXPECT_EQ(engine->report_progress(wrong, {}).error().code, ErrorCode::refused);
  }
  EXPECT_EQ(task(leased.lease.id).state, TaskState::running);
}

TEST_F(EngineLeases, HaveNoSayInWhatTheEngineRunsItself) {
  open();
  std::promise<HeldLease> began;
  std::promise<void> goes_on;
  engine->handle("here", [&](const Attempt& attempt) {
    began.set_value({attempt.id, attempt.token});
    goes_on.get_future().get();
    return Outcome::success("by the handler");
  });
  const TaskId id = submit({.kind = "here"});
  const HeldLease own = began.get_future().get();
  EXPECT_EQ(beat(own), LeaseStatus::gone);
  EXPECT_EQ(engine->finish(own, Outcome::success()).error().code, ErrorCode::refused);
  goes_on.set_value();
  wait_until_ended(id);
  EXPECT_EQ(outcome(id).result, "by the handler");
}

TEST_F(EngineLeases, GoOnThroughAStopOfTheEngine) {
  open();
  const LeasedTask leased = begin();
  const TaskId waiting = submit({.kind = "other"});
  std::promise<Result<std::vector<LeasedTask>>> answer;
  engine->lease(render(),
                [&](Result<std::vector<LeasedTask>> none) { answer.set_value(std::move(none)); });
  engine->stop();
  const auto refused = answer.get_future().get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::stopped);
  close();
  open();
  EXPECT_EQ(task(leased.lease.id).state, TaskState::running);
  EXPECT_EQ(beat(leased.lease), LeaseStatus::held);
  ASSERT_TRUE(engine->finish(leased.lease, Outcome::success("behind its back")));
  EXPECT_EQ(history(leased.lease.id), "TaskEnqueued TaskStarted TaskSucceeded");
  EXPECT_EQ(task(waiting).state, TaskState::ready);
}

TEST_F(EngineLeases, ThatNobodyGoesOnWithAreTakenBackByTheNextEngine) {
  open();
  const LeasedTask leased = begin({}, 50ms);
  close();
  open();
  wait_for(leased.lease.id, TaskState::ready);
  EXPECT_EQ(engine->finish(leased.lease, Outcome::success()).error().code, ErrorCode::refused);
}

}  // namespace
}  // namespace almanac::test
