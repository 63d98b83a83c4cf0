// By which of several implementations a task is run, without threads and clocks.
#include <almanac/engine/implementations.h>
#include <almanac/engine/limits.h>
#include <almanac/projections/wait_reason.h>
#include <almanac/tests/support/desk.h>
#include <almanac/tests/support/gpu_desk.h>

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace almanac::test {
namespace {

using std::chrono::minutes;

Outcome always_succeed(const Attempt&) { return Outcome::success(); }

// A desk where tasks of kind "ask" are run by "remote", else by "mirror", else by "local".
struct Fallbacks : Desk {
  explicit Fallbacks(std::uint32_t attempts = 1) {
    EXPECT_TRUE(ask(SetImplementations{
        "ask", {{"remote", attempts, true}, {"mirror", 1, true}, {"local", 1, false}}}));
  }
  TaskId submit_and_start(TaskSpec spec) {
    spec.kind = "ask";
    const TaskId id = submit(std::move(spec));
    EXPECT_EQ(start(), std::vector{id});
    return id;
  }
  void probe(std::string implementation, bool is_usable) {
    EXPECT_TRUE(ask(ReportProbe{"ask", std::move(implementation), is_usable, "refused"}));
  }
  [[nodiscard]] std::string run_by(TaskId id) const {
    const NameId* used = state().tasks.run_by.find(id);
    return used == nullptr ? "" : std::string(state().names.text(*used));
  }
};

TEST(Fallback, AFailureCountsNothingAndTheNextGoesOnWithALeaseOfItsOwn) {
  Fallbacks desk;
  const TaskId id = desk.submit_and_start({.timeout = minutes(1)});
  EXPECT_EQ(desk.run_by(id), "remote");
  const Lease first = desk.task(id).lease;
  desk.now += minutes(1);
  desk.finish(id, AttemptStatus::timed_out);
  ASSERT_EQ(desk.last().size(), 1U);
  EXPECT_EQ(std::get<TaskFailedOver>(desk.last().front().body).deadline, desk.now + minutes(1));
  EXPECT_EQ(desk.run_by(id), "mirror");
  EXPECT_EQ(desk.task(id).state, TaskState::running);
  EXPECT_EQ(desk.task(id).attempts, 1U);
  EXPECT_EQ(desk.task(id).failures, 0U);
  const auto late = desk.ask(FinishAttempt{id, desk.token(first), {}});
  EXPECT_EQ(error_of(late).code, ErrorCode::refused);
  desk.finish(id, AttemptStatus::error);
  EXPECT_EQ(desk.run_by(id), "local");
  desk.finish(id, AttemptStatus::succeeded);
  EXPECT_EQ(desk.task(id).state, TaskState::succeeded);
  EXPECT_EQ(desk.run_by(id), "");
}

TEST(Fallback, DoesNotGoOnWithoutTheModelThatWentWithItsGpu) {
  GpuDesk gpus;
  Desk& desk = gpus.desk;
  gpus.add("a", 3);
  gpus.load("a");
  EXPECT_TRUE(desk.ask(SetImplementations{"ask", {{"best", 1, true}, {"spare", 1, true}}}));
  const TaskSpec spec{.kind = "ask", .attempts_max = 2, .demands = {{"a", 1}}};
  const TaskId id = desk.submit(spec);
  const TaskId other = desk.submit(spec);
  EXPECT_EQ(desk.start(), (std::vector{id, other}));
  desk.finish(other, AttemptStatus::error);
  EXPECT_EQ(desk.task(other).state, TaskState::running) << "by the next";
  gpus.look(0, {"card"});
  EXPECT_TRUE(gpus.step("a", {.kind = ModelStep::Kind::lost}));
  desk.finish(id, AttemptStatus::error);
  EXPECT_EQ(desk.task(id).state, TaskState::delayed);
}

TEST(Fallback, TheFailureOfTheLastIsTheAttempts) {
  Fallbacks desk;
  const TaskId id = desk.submit_and_start({.attempts_max = 2});
  for (int i = 0; i < 3; ++i) desk.finish(id, AttemptStatus::error);
  EXPECT_EQ(desk.task(id).state, TaskState::delayed);
  EXPECT_EQ(desk.task(id).failures, 1U);
  desk.now += minutes(1);
  desk.come_due();
  desk.start();
  EXPECT_EQ(desk.run_by(id), "remote") << "the next attempt begins with the best";
}

TEST(Fallback, APermanentFailureOfOneIsNoneOfTheNext) {
  Fallbacks desk(9);
  const TaskId id = desk.submit_and_start({.attempts_max = 9});
  const AttemptOutcome outcome{.status = AttemptStatus::error, .permanent = true};
  ASSERT_TRUE(desk.ask(FinishAttempt{id, desk.token(desk.task(id).lease), outcome}));
  EXPECT_EQ(desk.run_by(id), "mirror");
}

TEST(Fallback, ComesAfterTheAttemptsOfAnImplementation) {
  Fallbacks desk(3);
  const TaskId id = desk.submit_and_start({.attempts_max = 5});
  for (std::uint32_t failures = 1; failures <= 2; ++failures) {
    desk.finish(id, AttemptStatus::error);
    EXPECT_EQ(desk.task(id).failures, failures);
    desk.now = desk.task(id).run_at;
    desk.come_due();
    desk.start();
    EXPECT_EQ(desk.run_by(id), "remote");
  }
  desk.finish(id, AttemptStatus::error);
  EXPECT_EQ(desk.run_by(id), "mirror");
  EXPECT_EQ(desk.task(id).failures, 2U);
}

TEST(Fallback, SkipsWhatCannotBeUsedAndComesBackToIt) {
  Fallbacks desk;
  desk.probe("remote", false);
  EXPECT_EQ(std::get<ImplementationLeft>(desk.last().front().body).reason, "refused");
  desk.probe("remote", false);
  EXPECT_TRUE(desk.last().empty()) << "only a change is an event";
  EXPECT_EQ(desk.run_by(desk.submit_and_start({})), "mirror");
  desk.probe("mirror", false);
  EXPECT_EQ(desk.run_by(desk.submit_and_start({})), "local");
  desk.probe("remote", true);
  EXPECT_EQ(desk.run_by(desk.submit_and_start({})), "remote");
  desk.probe("remote", true);
  EXPECT_TRUE(desk.last().empty());
}

TEST(Fallback, ATaskWaitsWhileNoneCanBeUsed) {
  Fallbacks desk;
  ASSERT_TRUE(desk.ask(SetImplementations{"ask", {{"remote", 1, true}, {"mirror", 1, true}}}));
  desk.probe("remote", false);
  desk.probe("mirror", false);
  const TaskId id = desk.submit({.kind = "ask"});
  const TaskId other = desk.submit({.kind = "other"});
  EXPECT_EQ(desk.start(), std::vector{other});
  EXPECT_EQ(wait_reason(desk.state(), id, desk.now)->wait, Wait::unavailable);
  desk.now += minutes(1);
  const auto reasons = desk.record_reasons();
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_EQ(std::get<LaneBlocked>(reasons.front().body).reason, LaneBlock::unavailable);
  desk.probe("mirror", true);
  EXPECT_EQ(desk.start(), std::vector{id});
  EXPECT_EQ(desk.run_by(id), "mirror");
}

TEST(Fallback, ACancelledAttemptDoesNotGoOn) {
  Fallbacks desk;
  const TaskId id = desk.submit_and_start({});
  desk.cancel(id);
  desk.finish(id, AttemptStatus::error);
  EXPECT_EQ(desk.task(id).state, TaskState::cancelled);
}

TEST(Fallback, WhatTheStateKnowsIsNotRecordedAgain) {
  Fallbacks desk;
  const SetImplementations same{"ask",
                                {{"remote", 1, true}, {"mirror", 1, true}, {"local", 1, false}}};
  ASSERT_TRUE(desk.ask(same));
  EXPECT_TRUE(desk.last().empty());
  ASSERT_TRUE(desk.ask(SetImplementations{"plain", {}}));
  EXPECT_TRUE(desk.last().empty());
  ASSERT_TRUE(desk.ask(SetImplementations{"ask", {{"mirror", 1, true}, {"remote", 1, true}}}));
  EXPECT_EQ(desk.last().size(), 1U);
  EXPECT_EQ(desk.run_by(desk.submit_and_start({})), "mirror");
  ASSERT_TRUE(desk.ask(SetImplementations{"ask", {}}));
  EXPECT_TRUE(desk.state().implementations.all.empty());
  EXPECT_EQ(desk.run_by(desk.submit_and_start({})), "");
}

TEST(Fallback, OneThatIsNoLongerProbedIsBack) {
  Fallbacks desk;
  desk.probe("remote", false);
  ASSERT_TRUE(desk.ask(SetImplementations{"ask", {{"remote", 1, true}, {"local", 1, false}}}));
  EXPECT_EQ(desk.run_by(desk.submit_and_start({})), "local") << "it stays as it was";
  ASSERT_TRUE(desk.ask(SetImplementations{"ask", {{"remote", 1, false}, {"local", 1, false}}}));
  EXPECT_EQ(desk.run_by(desk.submit_and_start({})), "remote");
}

TEST(Fallback, WhatMakesNoSenseIsRefused) {
  const auto refused = [](std::vector<Implementation> implementations) {
    const auto checked = check(implementations);
    return checked ? std::string() : checked.error().message;
  };
  const Implementation good{.name = "good", .handler = always_succeed};
  EXPECT_EQ(refused({good}), "");
  EXPECT_EQ(refused({}), "a kind has 1 to 16 implementations, not 0");
  EXPECT_EQ(refused({good, good}), "there are two implementations good");
  EXPECT_EQ(refused({{.name = "", .handler = always_succeed}}).substr(0, 22),
            "the name of an impleme");
  EXPECT_EQ(refused({{.name = "bare", .handler = {}}}), "implementation bare has no handler");
  EXPECT_EQ(refused({{.name = "never", .handler = always_succeed, .attempts = 0}}),
            "implementation never takes 1 to 1000 attempts");
  EXPECT_EQ(refused({{.name = "mad", .handler = always_succeed, .probe_interval = Duration(1)}}),
            "implementation mad is to be probed too often or never");
}

}  // namespace
}  // namespace almanac::test
