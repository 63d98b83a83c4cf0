// The power-loss tests see what they are there to see: a disk or a program that breaks a promise
// is found out.
#include <almanac/tests/disk/explorer.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <iostream>
#include <string>
#include <string_view>

namespace almanac::test {
namespace {

const Operation* operation(std::string_view name) {
  return &*std::ranges::find(operations(), name, &Operation::name);
}

Scenario scenario(Start start, std::initializer_list<std::string_view> names) {
  Scenario scenario{"planted", start, {}};
  for (auto name : names) scenario.operations.push_back(operation(name));
  return scenario;
}

Tally explore_with(const DiskFaults& faults, const Scenario& scenario,
                   std::optional<Mark::Kind> promised_at_append = {}) {
  SectorPool pool;
  auto recorded = record(scenario, pool, promised_at_append);
  auto report = explore(
      scenario, recorded, pool,
      {.faults = faults, .second_level_every = 0, .kill_every = 0, .keeps_findings = false});
  return report.tally;
}

const Scenario& appends() {
  static const Scenario three =
      scenario(Start::closed, {"append one", "append several", "append one", "close and open"});
  return three;
}

TEST(PlantedFault, IsAbsentWhereNothingIsFound) {
  auto tally = explore_with({}, appends());
  EXPECT_EQ(tally.findings(), 0U) << describe(tally);
  EXPECT_GT(tally.opened, 100U) << describe(tally);
}

TEST(PlantedFault, OfASyncThatDoesNothingIsFound) {
  auto tally = explore_with({.data_sync_ignored = true}, appends());
  EXPECT_GT(tally.findings(), 0U) << describe(tally);
}

TEST(PlantedFault, OfAnAcknowledgementBeforeTheCommitIsFound) {
  auto tally = explore_with({}, appends(), Mark::Kind::acknowledged);
  EXPECT_GT(tally.lost, 0U) << describe(tally);
}

TEST(PlantedFault, OfAReaderWhoSeesWhatIsNotCommittedIsFound) {
  auto tally = explore_with({}, appends(), Mark::Kind::shown);
  EXPECT_GT(tally.lost, 0U) << describe(tally);
}

TEST(PlantedFault, OfAFolderThatIsNotSyncedIsFound) {
  auto tally =
      explore_with({.folder_sync_ignored = true}, scenario(Start::nothing, {"append one"}));
  EXPECT_GT(tally.findings(), 0U) << describe(tally);
}

// A log may have means against it; then there is nothing to find, and nothing false is told either.
TEST(PlantedFault, OfASectorThatIsTornInsideIsFoundOrRepaired) {
  auto tally = explore_with({.tears_words = true}, appends());
  EXPECT_EQ(tally.wrong, 0U) << describe(tally);
  EXPECT_GT(tally.opened, 100U) << describe(tally);
  std::cout << "torn sectors: " << describe(tally) << "\n";
}

// Such a disk loses what it likes. That may be noticed late, but nothing false may be told.
TEST(PlantedFault, OfADiskThatForgetsWhatItSyncedIsFoundAndNeverAnsweredWithWrongEvents) {
  auto tally = explore_with({.forgets_synced = true}, appends());
  EXPECT_GT(tally.findings(), 0U) << describe(tally);
  EXPECT_EQ(tally.wrong, 0U) << describe(tally);
  std::cout << "forgetful disk: " << describe(tally) << "\n";
}

// The disk keeps its promises until the power is back, and then no more.
TEST(PlantedFault, OfARecoveryThatIsNotSyncedIsFound) {
  SectorPool pool;
  auto recorded = record(appends(), pool);
  auto report = explore(appends(), recorded, pool,
                        {.faults_in_recovery = {.data_sync_ignored = true},
                         .limits = {.family_max = 8, .random_states = 4, .all_subsets_of_max = 4},
                         .second_level_every = 40,
                         .kill_every = 0,
                         .keeps_findings = false});
  EXPECT_GT(report.tally.findings(), 0U) << describe(report.tally);
}

TEST(PlantedFault, ThatEndsTheProcessIsFoundAndTheOtherStatesAreOpenedAllTheSame) {
  SectorPool pool;
  auto recorded = record(appends(), pool);
  auto kill_at_five_events = [](const std::filesystem::path& folder, Recorder* recorder) {
    auto found = check_log(folder, recorder);
    if (found.events == 5) ::abort();
    return found;
  };
  auto report = explore(
      appends(), recorded, pool,
      {.check = kill_at_five_events, .workers = 1, .kill_every = 0, .keeps_findings = false});
  EXPECT_GT(report.tally.dead, 0U) << describe(report.tally);
  EXPECT_EQ(report.tally.findings(), report.tally.dead) << describe(report.tally);
  EXPECT_GT(report.tally.opened, report.tally.dead) << describe(report.tally);
  ASSERT_FALSE(report.examples.empty());
  EXPECT_NE(report.examples.front().find("Aborted\n  planted: power fails before step"),
            std::string::npos)
      << report.examples.front();
}

}  // namespace
}  // namespace almanac::test
