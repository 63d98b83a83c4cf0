// A program that is killed leaves what it had not synced to the next one, which sees it and builds
// on it. Then the power fails, and it may be gone.
#include <almanac/tests/disk/explorer.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <iostream>
#include <string_view>

namespace almanac::test {
namespace {

Scenario scenario(Start start, std::initializer_list<std::string_view> names) {
  Scenario scenario{"killed", start, {}};
  for (auto name : names) {
    scenario.operations.push_back(&*std::ranges::find(operations(), name, &Operation::name));
  }
  return scenario;
}

// Killed at every moment; the power fails only in what comes behind.
ExploreReport kill_everywhere(const Scenario& scenario, const ExploreOptions& options) {
  SectorPool pool;
  auto recorded = record(scenario, pool);
  auto with_kills = options;
  with_kills.limits = {.family_max = 1, .random_states = 0, .all_subsets_of_max = 0};
  with_kills.second_level_every = 0;
  with_kills.kill_every = 1;
  with_kills.second_limits = {.family_max = 1, .random_states = 1, .all_subsets_of_max = 1};
  return explore(scenario, recorded, pool, with_kills);
}

void expect_all_there(const Scenario& scenario) {
  auto report = kill_everywhere(scenario, {});
  std::cout << describe(report.tally) << "\n";
  for (const auto& example : report.examples) ADD_FAILURE() << example;
  EXPECT_EQ(report.tally.findings(), 0U);
  EXPECT_GT(report.tally.kills, 10U);
}

TEST(KilledProgram, LosesNothingWhenItCreatesALog) {
  expect_all_there(scenario(Start::nothing, {"append one"}));
}

TEST(KilledProgram, LosesNothingWhenItAppends) {
  expect_all_there(scenario(Start::killed, {"append several", "close and open", "append one"}));
}

TEST(KilledProgram, LosesNothingWhenTheStoreTakesWhatIsInTheJournal) {
  expect_all_there(scenario(Start::closed, {"append and settle", "append one"}));
}

TEST(KilledProgram, LosesNothingWhenItTrimsAndCompacts) {
  expect_all_there(scenario(Start::closed, {"trim", "compact"}));
}

}  // namespace
}  // namespace almanac::test
