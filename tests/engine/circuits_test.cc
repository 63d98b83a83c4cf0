// Circuits hold tasks back: what waits for which service, for how long, and what begins when.
#include <almanac/engine/circuits.h>
#include <almanac/projections/invariants.h>
#include <almanac/projections/wait_reason.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using Ids = std::vector<std::uint64_t>;

class CircuitsTest : public ::testing::Test {
 protected:
  CircuitsTest() {
    EXPECT_TRUE(desk.ask(ConfigureCircuit{"search", {.consecutive_failures = 2, .cooldown = 10s}}));
  }
  ~CircuitsTest() override {
    EXPECT_EQ(broken_invariants(desk.state()), std::vector<std::string>());
    EXPECT_EQ(desk.state().ignored, 0U);
  }
  TaskId submit(std::vector<TaskDemand> demands = {{"search"}}, std::uint16_t attempts = 9) {
    return desk.submit({.kind = "work", .attempts_max = attempts, .demands = std::move(demands)});
  }
  Ids started() {
    desk.come_due();
    desk.move_circuits();
    Ids ids;
    for (TaskId id : desk.start()) ids.push_back(id.value);
    return ids;
  }
  void finish(std::uint64_t id, AttemptStatus status) {
    desk.finish(TaskId(id), status);
    desk.move_circuits();
  }
  void fail(std::uint64_t id) { finish(id, AttemptStatus::error); }
  void succeed(std::uint64_t id) { finish(id, AttemptStatus::succeeded); }
  void open() {
    ASSERT_TRUE(
        desk.ask(ObserveCircuit{.service = "search", .failures = 2, .trailing_failures = 2}));
    desk.move_circuits();
  }
  [[nodiscard]] Circuit circuit(std::string_view service = "search") const {
    return circuit_of(desk.state().circuits, *desk.state().names.find(service));
  }
  [[nodiscard]] WaitReason reason(TaskId id) const {
    return *wait_reason(desk.state(), id, desk.now);
  }

  Desk desk{{.slots = 100}};
};

TEST_F(CircuitsTest, TaskThatNeedsAServiceWaitsWhileItIsOpenAndLosesNoAttempt) {
  submit();
  submit();
  const TaskId other = desk.submit({.kind = "work"});
  EXPECT_EQ(started(), (Ids{1, 2, 3}));
  fail(1);
  fail(2);
  EXPECT_EQ(circuit().state, CircuitState::open);
  EXPECT_EQ(desk.task(other).state, TaskState::running);
  desk.now += 9s;
  EXPECT_EQ(started(), Ids()) << "their retries are due, and the circuit is open";
  const WaitReason waits = reason(TaskId(1));
  EXPECT_EQ(waits.wait, Wait::circuit);
  EXPECT_EQ(desk.state().names.text(*waits.limit), "search");
  EXPECT_EQ(waits.next, circuit().until);
  EXPECT_EQ(desk.task(TaskId(1)).attempts, 1U);
  desk.now += 1s;
  EXPECT_EQ(started(), (Ids{1})) << "one probe";
  EXPECT_EQ(reason(TaskId(2)).wait, Wait::circuit);
  EXPECT_EQ(reason(TaskId(2)).most, 1U);
  succeed(1);
  EXPECT_EQ(circuit().state, CircuitState::closed);
  EXPECT_EQ(started(), (Ids{2}));
}

TEST_F(CircuitsTest, ProbeThatFailsOpensItAgain) {
  open();
  submit();
  desk.now += 10s;
  EXPECT_EQ(started(), (Ids{1}));
  fail(1);
  EXPECT_EQ(circuit().state, CircuitState::open);
  EXPECT_EQ(circuit().until, desk.now + 20s);
  EXPECT_EQ(circuit().trips, 2U);
}

TEST_F(CircuitsTest, ProbeWithoutAResultIsAdmittedAgain) {
  open();
  submit();
  submit();
  desk.now += 10s;
  EXPECT_EQ(started(), (Ids{1}));
  EXPECT_EQ(started(), Ids());
  ASSERT_TRUE(desk.ask(HandBackAttempt{TaskId(1), desk.token(desk.task(TaskId(1)).lease)}));
  EXPECT_EQ(circuit().state, CircuitState::half_open);
  EXPECT_EQ(started(), (Ids{1})) << "one, not two";
  desk.cancel(TaskId(1));
  finish(1, AttemptStatus::error);
  EXPECT_EQ(circuit().state, CircuitState::half_open) << "who was told to stop says nothing of it";
  EXPECT_EQ(started(), (Ids{2}));
}

TEST_F(CircuitsTest, ProbesOfTasksAndOfProgramsAreCountedTogether) {
  ASSERT_TRUE(desk.ask(
      ConfigureCircuit{"search", {.consecutive_failures = 2, .cooldown = 10s, .probes = 3}}));
  open();
  for (int i = 0; i < 5; ++i) submit();
  desk.now += 10s;
  desk.move_circuits();
  const auto answer = desk.ask(ProbeCircuit{"search"});
  EXPECT_TRUE(std::get<CircuitAdmission>(*answer).is_admitted);
  EXPECT_EQ(started(), (Ids{1, 2}));
  const auto late = desk.ask(ProbeCircuit{"search"});
  EXPECT_FALSE(std::get<CircuitAdmission>(*late).is_admitted);
}

TEST_F(CircuitsTest, OneThatFailsHoldsUpNothingThatNeedsOthers) {
  ASSERT_TRUE(desk.ask(ConfigureCircuit{"mail", {.cooldown = 10s}}));
  ASSERT_TRUE(desk.ask(ConfigureLimit{"memory", {.units = 1}}));
  open();
  submit({{"memory"}, {"search"}});
  submit({{"mail"}, {"search"}});
  submit({{"mail"}});
  submit({{"memory"}});
  EXPECT_EQ(started(), (Ids{3, 4})) << "who waits for a circuit keeps no turn";
}

TEST_F(CircuitsTest, WhatWaitedBeginsAtThePaceOfARecovery) {
  ASSERT_TRUE(desk.ask(ConfigureLimit{"recovery:circuit:search", {.per_minute = 60, .burst = 2}}));
  open();
  for (int i = 0; i < 6; ++i) submit();
  desk.now += 10s;
  EXPECT_EQ(started(), (Ids{1}));
  succeed(1);
  EXPECT_EQ(circuit().state, CircuitState::closed);
  EXPECT_EQ(circuit().paced, 5U);
  EXPECT_EQ(started(), (Ids{2, 3})) << "the burst";
  EXPECT_EQ(reason(TaskId(4)).wait, Wait::tokens);
  desk.now += 1s;
  EXPECT_EQ(started(), (Ids{4}));
  desk.now += 2s;
  EXPECT_EQ(started(), (Ids{5, 6}));
  EXPECT_EQ(circuit().paced, 0U);
  for (int i = 0; i < 3; ++i) submit();
  EXPECT_EQ(started(), (Ids{7, 8, 9})) << "what is new is not paced";
}

TEST_F(CircuitsTest, ARateLimitIsNoFailureAndEmptiesTheBucket) {
  ASSERT_TRUE(desk.ask(ConfigureLimit{"search", {.per_minute = 600, .burst = 5}}));
  for (int i = 0; i < 3; ++i) submit();
  EXPECT_EQ(started(), (Ids{1, 2, 3}));
  for (std::uint64_t id : {1, 2, 3}) {
    ASSERT_TRUE(desk.ask(FinishAttempt{
        TaskId(id),
        desk.token(desk.task(TaskId(id)).lease),
        {.status = AttemptStatus::error, .snooze_until = desk.now + 30s, .rate_limited = true}}));
    desk.move_circuits();
  }
  EXPECT_EQ(circuit().state, CircuitState::closed);
  EXPECT_EQ(circuit().failures, 0U);
  const TaskId later = submit();
  EXPECT_EQ(started(), Ids());
  EXPECT_EQ(reason(later).wait, Wait::tokens);
  EXPECT_EQ(reason(later).next, desk.now + 30s);
  EXPECT_EQ(desk.task(TaskId(1)).failures, 0U);
  desk.now += 30s;
  EXPECT_EQ(started().size(), 1U);
}

TEST_F(CircuitsTest, ACrashedEngineSaysNothingOfAServiceAndRearmsItsProbes) {
  open();
  submit();
  desk.now += 10s;
  EXPECT_EQ(started(), (Ids{1}));
  const Circuit before = circuit();
  Desk next(desk.state(), {.slots = 100});
  EXPECT_EQ(circuit_of(next.state().circuits, *next.state().names.find("search")), before);
  next.come_due();
  EXPECT_EQ(next.start(), (std::vector{TaskId(1)}));
}

TEST_F(CircuitsTest, RefuseWhatCannotBe) {
  const auto refusal = [&](Command command) {
    return error_of(desk.ask(std::move(command))).message;
  };
  EXPECT_EQ(refusal(ConfigureCircuit{"se*", {}}), "the service 'se*' has a '*' in its name");
  EXPECT_EQ(refusal(ConfigureCircuit{"a", {.failure_permille = 0}}),
            "a circuit opens at a failure rate of some requests");
  EXPECT_EQ(refusal(ConfigureCircuit{"a", {.window = Duration(0)}}),
            "a window or a cool-down of a circuit is out of its range");
  EXPECT_EQ(refusal(ConfigureCircuit{"a", {.cooldown = 1h}}),
            "a circuit cools down longer than it may");
  EXPECT_EQ(refusal(ConfigureCircuit{"a", {.probes = 1'001}}),
            "1001 probes are over the limit of 1000");
  for (const CircuitState to : {CircuitState::open, CircuitState::half_open}) {
    EXPECT_EQ(refusal(ForceCircuit{"a", to}),
              "a circuit cannot be forced to be " + std::string(name(to)));
  }
  EXPECT_EQ(refusal(ForceCircuit{"a:*", CircuitState::forced_open}),
            "'a:*' is no service: it sets others");
  EXPECT_EQ(refusal(ForceCircuit{"a", CircuitState::closed, std::string(5'000, 'x')}),
            "the reason is over the limit of 4096 bytes");
}

}  // namespace
}  // namespace almanac::test
