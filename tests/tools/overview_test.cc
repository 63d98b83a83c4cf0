// What an overview is made of: tasks by queue, counted anew or from what changed, and events of the
// log, counted or estimated.
#include <almanac/tests/support/story.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>
#include <almanac/tools/event_counts.h>
#include <almanac/tools/queue_json.h>
#include <almanac/tools/queue_tally.h>
#include <almanac/tools/timeline.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <vector>

namespace almanac::test {
namespace {

// Tasks of three queues in many states, and the state behind each of their events.
class OverviewParts : public ::testing::Test {
 protected:
  OverviewParts() {
    for (std::uint64_t id = 1; id <= 300; ++id) {
      story.enqueue({.id = id, .queue = id % 3 == 0 ? "mail" : id % 3 == 1 ? "web" : "batch"});
      states.push_back(story.state());
      if (id % 2 == 0) act(id);
    }
  }
  void act(std::uint64_t id) {
    ASSERT_TRUE(story.start(id));
    states.push_back(story.state());
    ASSERT_TRUE(id % 4 == 0 ? story.succeed(id) : story.fail(id));
    states.push_back(story.state());
  }
  void write() {
    log = std::make_unique<TestLog>(folder / "log");
    std::vector<Event> events;
    for (const RecordedEvent& recorded : story.events()) events.push_back(recorded.event);
    ASSERT_TRUE(log->append(std::move(events)));
  }
  [[nodiscard]] EventCounts counted(std::uint64_t reads_max) {
    auto counts = count_events({.log = **log,
                                .first = Position(1),
                                .last = story.state().position,
                                .reads_max = reads_max});
    EXPECT_TRUE(counts);
    return counts.value_or(EventCounts());
  }

  TempFolder folder;
  Story story;
  std::vector<State> states;
  std::unique_ptr<TestLog> log;
};

TEST_F(OverviewParts, CountTasksByQueueWhateverWasCountedBefore) {
  QueueTally tally;
  // Near and far, forward and backward, and from another state's nodes.
  for (const std::size_t at : {0, 599, 598, 590, 597, 300, 301, 310, 1, 0, 599, 550}) {
    EXPECT_EQ(tally.of(states[at]), count_queues(states[at])) << at;
  }
  Story other;
  other.enqueue({.id = 1, .queue = "other"});
  EXPECT_EQ(tally.of(other.state()), count_queues(other.state()));
}

TEST_F(OverviewParts, CountEventsOneByOneWhereTheyAreFew) {
  write();
  const EventCounts counts = counted(10'000);
  EXPECT_FALSE(counts.is_sampled);
  EXPECT_EQ(counts.events, 600U);
  EXPECT_EQ(counts.enqueued, 300U);
  EXPECT_EQ(counts.started, 150U);
  EXPECT_EQ(counts.succeeded, 75U);
  EXPECT_EQ(counts.failed, 75U);
  EXPECT_EQ(counts.other, 0U);
}

TEST_F(OverviewParts, EstimateEventsFromASampleWhereTheyAreMany) {
  write();
  const EventCounts counts = counted(256);
  EXPECT_TRUE(counts.is_sampled);
  EXPECT_EQ(counts.events, 600U);
  EXPECT_NEAR(static_cast<double>(counts.enqueued), 300, 15);
  EXPECT_NEAR(static_cast<double>(counts.started), 150, 15);
  EXPECT_NEAR(static_cast<double>(counts.succeeded + counts.failed), 150, 15);
  EXPECT_EQ(counted(1).events, 600U);
}

TEST_F(OverviewParts, CutATimeLineWithoutGapsHoweverItIsCut) {
  write();
  for (const std::uint64_t buckets : {1U, 7U, 64U, 599U, 600U, 1'000U}) {
    auto json = timeline_json({.log = **log,
                               .first = Position(1),
                               .last = story.state().position,
                               .buckets = buckets,
                               .reads_max = 100});
    ASSERT_TRUE(json);
    std::uint64_t next = 1;
    for (const auto& bucket : (*json)["buckets"]) {
      EXPECT_EQ(bucket["first"], next);
      EXPECT_GE(bucket["last"], bucket["first"]);
      next = bucket["last"].get<std::uint64_t>() + 1;
      EXPECT_EQ(bucket["events"], next - bucket["first"].get<std::uint64_t>());
    }
    EXPECT_EQ(next, 601U) << buckets;
    EXPECT_EQ((*json)["buckets"].size(), std::min<std::uint64_t>(buckets, 600));
  }
  auto empty = timeline_json({.log = **log, .first = Position(5), .last = Position(4)});
  ASSERT_TRUE(empty);
  EXPECT_TRUE((*empty)["buckets"].empty());
}

}  // namespace
}  // namespace almanac::test
