// When values of the program around are written down while events come.
#include <almanac/engine/inline_projections.h>
#include <almanac/snapshots/whole_file.h>
#include <almanac/tests/support/tally.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class InlineProjectionCheckpoints : public ::testing::Test {
 protected:
  // Puts events into the log and folds them, some at a time, as the engine does.
  void tell(std::size_t batches) {
    constexpr std::size_t batch = 20;
    for (std::size_t i = 0; i < batches; ++i) {
      const auto events = numbered_events(last + 1, batch);
      ASSERT_TRUE(log.append(events));
      std::vector<RecordedEvent> recorded;
      for (const Event& event : events) recorded.push_back({Position(++last), event});
      (void)projections.fold(recorded);
    }
  }
  [[nodiscard]] std::vector<Position> kept() const {
    return positions_in(folder / "projections" / "tally" / "v1");
  }

  TempFolder folder;
  TestLog log{folder / "log"};
  std::uint64_t last = 0;
  InlineProjections projections = *InlineProjections::open(
      *log, folder / "projections",
      std::vector<AnyInlineProjection>{InlineProjection<Tally>(tally_spec())}, Position());
};

TEST_F(InlineProjectionCheckpoints, AreWrittenByTheirEventsAndAreWhole) {
  projections.keep_by({.events = 50});
  tell(10);
  projections.keep();
  ASSERT_GT(kept().size(), 1U) << "not only the one of the end";
  EXPECT_EQ(kept().front(), Position(last));
  EXPECT_GE(kept().back(), Position(50));
  // Each is the value at its position, though the engine's went on meanwhile.
  for (const Position position : kept()) {
    const InlineProjection<Tally> tallies(tally_spec());
    const ProjectionCheckpoints checkpoints(*log, {.folder = folder / "projections"},
                                            tallies.definition()->name);
    const auto reached = checkpoints.newest(*tallies.definition()->initial, position);
    EXPECT_EQ(reached.position, position);
    EXPECT_EQ(*std::any_cast<std::shared_ptr<const Tally>>(reached.value->copy()),
              tally_of(position.value));
  }
}

TEST_F(InlineProjectionCheckpoints, AreWrittenByTheirPeriod) {
  projections.keep_by({.events = 1'000'000, .period = 0ms});
  tell(3);
  projections.keep();
  EXPECT_GT(kept().size(), 1U);
}

TEST_F(InlineProjectionCheckpoints, WaitForTheEndWhereNoneIsDueOrNoneAreWritten) {
  projections.keep_by({.events = 1'000'000});
  tell(3);
  projections.keep_by({.write = false, .events = 1, .period = 0ms});
  tell(3);
  EXPECT_TRUE(kept().empty());
  projections.keep();
  EXPECT_EQ(kept(), std::vector{Position(last)});
}

}  // namespace
}  // namespace almanac::test
