// Requirement D1: a circuit is closed, open or half open; over at least 10 requests the failure
// rate is held against a threshold; failures in a row begin anew with a success.
#include <almanac/engine/circuits.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

#include <string>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class RequirementD1 : public ::testing::Test {
 protected:
  void set(CircuitSetting setting) { ASSERT_TRUE(desk.ask(ConfigureCircuit{"search", setting})); }
  void observe(std::uint64_t successes, std::uint64_t failures) {
    ASSERT_TRUE(desk.ask(ObserveCircuit{.service = "search",
                                        .successes = successes,
                                        .failures = failures,
                                        .trailing_failures = successes > 0 ? 0 : failures}));
    desk.move_circuits();
  }
  [[nodiscard]] Circuit circuit() const {
    return circuit_of(desk.state().circuits, *desk.state().names.find("search"));
  }
  // Later, and with what that brings.
  void pass(Duration time) {
    desk.now += time;
    desk.move_circuits();
  }
  bool probe() {
    auto answer = desk.ask(ProbeCircuit{"search"});
    const auto& admission = std::get<CircuitAdmission>(*answer);
    if (admission.is_admitted) probes.push_back(admission.probe);
    return admission.is_admitted;
  }
  void end_probe(bool succeeded) {
    ASSERT_TRUE(desk.ask(ObserveCircuit{.service = "search",
                                        .successes = succeeded ? 1U : 0U,
                                        .failures = succeeded ? 0U : 1U,
                                        .trailing_failures = succeeded ? 0U : 1U,
                                        .probe = probes.back()}));
    probes.pop_back();
    desk.move_circuits();
  }

  Desk desk;
  std::vector<Position> probes;
};

TEST_F(RequirementD1, ARateCountsFromTenRequestsOn) {
  set({.consecutive_failures = 0});
  observe(4, 5);
  EXPECT_EQ(circuit().state, CircuitState::closed) << "5 of 9 have failed";
  observe(1, 0);
  EXPECT_EQ(circuit().state, CircuitState::open) << "5 of 10";
  EXPECT_EQ(circuit().until, desk.now + 30s);
}

TEST_F(RequirementD1, ARateBelowTheThresholdOpensNothing) {
  set({.consecutive_failures = 0});
  observe(501, 500);
  EXPECT_EQ(circuit().state, CircuitState::closed);
  observe(0, 1);
  EXPECT_EQ(circuit().state, CircuitState::open);
}

TEST_F(RequirementD1, WhatLiesBehindTheWindowCountsNoMore) {
  set({.consecutive_failures = 0, .window = 10s});
  observe(0, 9);
  pass(10s);
  observe(0, 9);
  EXPECT_EQ(circuit().state, CircuitState::closed);
  pass(8s);
  observe(0, 1);
  EXPECT_EQ(circuit().state, CircuitState::open);
}

TEST_F(RequirementD1, FailuresInARowBeginAnewWithASuccess) {
  set({.requests_min = 1'000, .consecutive_failures = 5});
  observe(0, 4);
  observe(1, 0);
  observe(0, 4);
  EXPECT_EQ(circuit().state, CircuitState::closed);
  observe(0, 1);
  EXPECT_EQ(circuit().state, CircuitState::open);
}

TEST_F(RequirementD1, AfterItsCooldownItAdmitsExactlySoManyProbesAndClosesWhenAllSucceed) {
  set({.cooldown = 5s, .probes = 3});
  observe(0, 5);
  EXPECT_FALSE(probe()) << "it is open";
  pass(5s - Duration(1));
  EXPECT_EQ(circuit().state, CircuitState::open);
  pass(Duration(1));
  EXPECT_EQ(circuit().state, CircuitState::half_open);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(probe());
  EXPECT_FALSE(probe());
  end_probe(true);
  EXPECT_FALSE(probe()) << "three in all, not three at once";
  observe(50, 50);
  EXPECT_EQ(circuit().state, CircuitState::half_open) << "what began before says nothing";
  end_probe(true);
  end_probe(true);
  EXPECT_EQ(circuit().state, CircuitState::closed);
  EXPECT_EQ(circuit().window.sum(), CircuitWindow::Slice());
}

TEST_F(RequirementD1, AProbeThatFailsOpensItAgainForTwiceAsLongUpToItsLongest) {
  set({.cooldown = 5s, .cooldown_max = 15s});
  observe(0, 5);
  for (const Duration next : {10s, 15s, 15s}) {
    pass(circuit().until - desk.now);
    ASSERT_TRUE(probe());
    end_probe(false);
    EXPECT_EQ(circuit().state, CircuitState::open);
    EXPECT_EQ(circuit().until, desk.now + next);
  }
  pass(15s);
  ASSERT_TRUE(probe());
  end_probe(true);
  observe(0, 5);
  EXPECT_EQ(circuit().until, desk.now + 5s) << "closed in between, it begins anew";
}

TEST_F(RequirementD1, AProbeThatSaysNothingHasFailed) {
  set({.cooldown = 5s});
  observe(0, 5);
  pass(5s);
  ASSERT_TRUE(probe());
  pass(1min - Duration(1));
  EXPECT_EQ(circuit().state, CircuitState::half_open);
  pass(Duration(1));
  EXPECT_EQ(circuit().state, CircuitState::open);
  end_probe(true);
  EXPECT_EQ(circuit().state, CircuitState::open) << "it comes too late";
}

TEST_F(RequirementD1, AnOperatorKeepsItOpenOrClosedUntilHeResetsIt) {
  ASSERT_TRUE(desk.ask(ForceCircuit{"search", CircuitState::forced_open, "it is being moved"}));
  pass(1h);
  EXPECT_EQ(circuit().state, CircuitState::forced_open);
  EXPECT_FALSE(probe());
  ASSERT_TRUE(desk.ask(ForceCircuit{"search", CircuitState::forced_closed}));
  observe(0, 1'000);
  EXPECT_EQ(circuit().state, CircuitState::forced_closed);
  ASSERT_TRUE(desk.ask(ForceCircuit{"search", CircuitState::closed}));
  EXPECT_TRUE(desk.ask(ForceCircuit{"search", CircuitState::closed}));
  EXPECT_TRUE(desk.last().empty()) << "it is so already";
  observe(0, 5);
  EXPECT_EQ(circuit().state, CircuitState::open);
}

}  // namespace
}  // namespace almanac::test
