// Requirement D2: the figures of a circuit: requests, successes, failures, trips and the average
// duration.
#include <almanac/tests/support/engine_fixture.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class RequirementD2 : public EngineTest {
 protected:
  void request(bool succeeds, Duration takes) {
    auto permit = gate().allow();
    ASSERT_TRUE(permit);
    clock.advance(takes);
    succeeds ? permit->succeeded() : permit->failed();
  }
  [[nodiscard]] CircuitGate& gate() const { return **engine->circuit("search"); }
  [[nodiscard]] Circuit circuit() const {
    const auto state = engine->state();
    const auto id = state->names.find("search");
    return id ? circuit_of(state->circuits, *id) : Circuit();
  }
};

TEST_F(RequirementD2, AreStateAndSurviveARestart) {
  open_on_manual_clock();
  for (int i = 0; i < 9; ++i) request(true, 10ms);
  for (int i = 0; i < 3; ++i) request(false, 30ms);
  advance(1s);
  Circuit seen = circuit();
  EXPECT_EQ(seen.successes, 9U);
  EXPECT_EQ(seen.failures, 3U);
  EXPECT_EQ(seen.trips, 0U);
  EXPECT_EQ(seen.average(), 15ms);
  for (int i = 0; i < 2; ++i) request(false, 60ms);
  advance(1s);
  seen = circuit();
  EXPECT_EQ(seen.state, CircuitState::open);
  EXPECT_EQ(seen.trips, 1U);
  close();
  open_on_manual_clock();
  EXPECT_EQ(circuit(), seen);
  const auto refused = gate().allow();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().retry_at, seen.until);
}

TEST_F(RequirementD2, AreToldToTheEngineBeforeItStops) {
  open_on_manual_clock();
  for (int i = 0; i < 4; ++i) request(true, 5ms);
  close();
  open_on_manual_clock();
  EXPECT_EQ(circuit().successes, 4U);
  EXPECT_EQ(circuit().average(), 5ms);
}

}  // namespace
}  // namespace almanac::test
