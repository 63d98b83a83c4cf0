// Past states asked for in any order: the same as folded from the first event, and few in memory.
#include <almanac/projections/persistent/node_pool.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/past_states.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/story.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <latch>
#include <memory>
#include <numeric>
#include <random>
#include <thread>
#include <utility>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

// The digest of a state, or what went wrong.
std::string outcome(const Result<State>& state) {
  return state ? hex(*state) : describe(state.error());
}

bool share_their_tasks(const State& one, const State& other) {
  return one.tasks.all.shares_root_with(other.tasks.all);
}

// A log of some hundred events in frames of two, all of them in the store.
class PastStatesOfALog : public ::testing::Test {
 protected:
  PastStatesOfALog() {
    Story story;
    digests.push_back(hex(story.state()));
    story.tell(EngineStarted{"0.1.0", 4711, 4, 42});
    for (std::uint64_t id = 1; id <= 200; ++id) {
      story.enqueue({.id = id, .queue = id % 3 == 0 ? "b" : "a", .key = std::to_string(id)});
      if (id % 2 == 0 && story.start(id / 2)) story.succeed(id / 2);
    }
    append(story.events());
    open();
  }

  void open() {
    log.reset();
    log = std::make_unique<TestLog>(place());
    last = (*log)->tail()->last.value;
  }
  void append(const std::vector<RecordedEvent>& events) {
    if (!log) log = std::make_unique<TestLog>(place());
    std::vector<Event> frame;
    for (const RecordedEvent& recorded : events) {
      fold_into(end, recorded);
      digests.push_back(hex(end));
      frame.push_back(recorded.event);
      if (frame.size() == 2 || recorded.position == events.back().position) {
        EXPECT_TRUE(log->append(std::exchange(frame, {})));
      }
    }
  }
  [[nodiscard]] fs::path place() const { return folder / "log"; }
  [[nodiscard]] fs::path checkpoint(std::uint64_t position) const {
    return place() / "checkpoints" / std::to_string(position);
  }
  void write_checkpoint(std::uint64_t position) {
    auto state = rebuild(**log, {.through = Position(position)});
    ASSERT_TRUE(state && keep_checkpoint(**log, place(), *state));
  }
  [[nodiscard]] PastStates past(PastStatesOptions options = {.every = 50}) const {
    return {**log, place(), options};
  }
  // Every position there is, shuffled.
  [[nodiscard]] std::vector<std::uint64_t> positions(std::uint32_t seed) const {
    std::vector<std::uint64_t> all(last + 1);
    std::iota(all.begin(), all.end(), 0U);
    std::ranges::shuffle(all, std::mt19937(seed));
    return all;
  }
  void expect_the_same_everywhere(const PastStates& states, std::uint32_t seed = 1) const {
    for (std::uint64_t position : positions(seed)) {
      ASSERT_EQ(outcome(states.at(Position(position))), digests[position]) << position;
    }
  }
  // Removes the front of the log, and answers the first position that is left.
  std::uint64_t trim(std::uint64_t before) {
    EXPECT_TRUE((*log)->set_checkpoint(Position(last)));
    auto report = (*log)->trim({.before = Position(before)});
    EXPECT_TRUE(report);
    return report->first.value;
  }

  TempFolder folder;
  std::unique_ptr<TestLog> log;
  State end;
  std::vector<std::string> digests;  // by position
  std::uint64_t last = 0;
};

TEST_F(PastStatesOfALog, AreThoseThatFoldingGivesInAnyOrder) {
  ASSERT_GT(last, 300U);
  for (std::uint64_t every : {7, 50, 100'000}) {
    for (std::size_t states_max : {0, 3, 1000}) {
      expect_the_same_everywhere(past({.every = every, .states_max = states_max}));
    }
  }
  for (std::uint64_t position : {1, 120, 250}) write_checkpoint(position);
  expect_the_same_everywhere(past());
  EXPECT_EQ(outcome(past().at()), digests[last]);
}

TEST_F(PastStatesOfALog, AreTheSameFromSeveralThreads) {
  write_checkpoint(120);
  const PastStates states = past({.every = 20, .states_max = 10});
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t seed : {1, 2, 3, 4}) {
      threads.emplace_back([&, seed] { expect_the_same_everywhere(states, seed); });
    }
  }
  EXPECT_LE(states.kept(), 10U);
}

TEST_F(PastStatesOfALog, AreOneForThreadsThatAskAtOnce) {
  for (int round = 0; round < 100; ++round) {
    const PastStates states = past();
    std::array<State, 4> found;
    std::latch together(found.size());
    {
      std::vector<std::jthread> asking;
      for (State& each : found) {
        asking.emplace_back([&] {
          together.arrive_and_wait();
          each = *states.at();
        });
      }
    }
    for (const State& each : found) ASSERT_TRUE(share_their_tasks(each, found.front()));
  }
}

TEST_F(PastStatesOfALog, AreKeptAndNotMadeTwice) {
  const PastStates states = past();
  auto first = states.at(Position(70));
  auto again = states.at(Position(70));
  ASSERT_TRUE(first && again);
  EXPECT_TRUE(share_their_tasks(*first, *again));
  EXPECT_EQ(states.kept(), 2U);  // 50 and 70
}

TEST_F(PastStatesOfALog, AreNeverMoreThanTheyMayBeAndGoInTheOrderOfUse) {
  const PastStates states = past({.every = 100'000, .states_max = 3});
  for (std::uint64_t position = 10; position <= last; ++position) {
    ASSERT_TRUE(states.at(Position(position)));
    ASSERT_LE(states.kept(), 3U);
  }
  auto used = states.at(Position(last - 2));
  for (std::uint64_t position : {30, 20}) ASSERT_TRUE(states.at(Position(position)));
  EXPECT_TRUE(share_their_tasks(*used, *states.at(Position(last - 2))));
  for (std::uint64_t position : {15, 14, 13}) ASSERT_TRUE(states.at(Position(position)));
  EXPECT_FALSE(share_their_tasks(*used, *states.at(Position(last - 2))));
}

TEST_F(PastStatesOfALog, AreDroppedToTheLastOneWhereMemoryIsShort) {
  if (node_pool::used_bytes() == 0) return;  // nothing is pooled under the address sanitizer
  const PastStates states = past({.every = 7, .memory_bytes_max = 1});
  expect_the_same_everywhere(states);
  EXPECT_EQ(states.kept(), 1U);
}

TEST_F(PastStatesOfALog, AreCloseToOneThatIsKeptBehindAWalk) {
  const PastStates states = past({.every = 50, .states_max = 40});
  ASSERT_TRUE(states.walk());
  const std::size_t marks = last / 50;
  EXPECT_EQ(states.kept(), marks);
  // What is asked for later goes before the marks do.
  expect_the_same_everywhere(states);
  EXPECT_LE(states.kept(), 40U);
  const auto kept_mark = states.at(Position(50));
  ASSERT_TRUE(kept_mark);
  EXPECT_TRUE(share_their_tasks(*kept_mark, *states.at(Position(50))));
  const State first = *kept_mark;
  expect_the_same_everywhere(states, 2);
  EXPECT_TRUE(share_their_tasks(first, *states.at(Position(50)))) << "the mark was dropped";
}

TEST_F(PastStatesOfALog, AreWalkedThroughInLongerStepsWhereTheyWouldBeTooMany) {
  const PastStates states = past({.every = 10, .states_max = 8});
  ASSERT_TRUE(states.walk());
  EXPECT_GT(states.kept(), 3U);
  EXPECT_LE(states.kept(), 6U);
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_EQ(code_of(past().walk(stopped.get_token())), "stopped");
}

TEST_F(PastStatesOfALog, TakeWhatIsOfferedWhereNoneIsNear) {
  const PastStates states = past({.every = 50});
  states.offer(end);
  EXPECT_EQ(states.kept(), 1U);
  EXPECT_TRUE(share_their_tasks(end, *states.at(Position(last))));
  states.offer(end);
  const auto near_the_start = rebuild(**log, {.through = Position(49)});
  ASSERT_TRUE(near_the_start);
  states.offer(*near_the_start);
  EXPECT_EQ(states.kept(), 1U) << "the beginning is as near";
}

TEST_F(PastStatesOfALog, BeginAtACheckpointThatIsFarAhead) {
  write_checkpoint(290);
  const PastStates states = past();
  ASSERT_TRUE(states.at(Position(295)));
  EXPECT_EQ(states.kept(), 2U);  // 290 and 295: nothing in front was folded
}

TEST_F(PastStatesOfALog, DoWithoutCheckpointsThatAreDamaged) {
  for (std::uint64_t position : {120, 250, 290}) write_checkpoint(position);
  auto bytes = read_file(checkpoint(290));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(checkpoint(290), bytes);
  write_file(checkpoint(250), "");
  const PastStates states = past();
  ASSERT_TRUE(states.at(Position(295)));
  EXPECT_EQ(states.kept(), 5U);  // 120, 150, 200, 250, 295
  expect_the_same_everywhere(states);
}

TEST_F(PastStatesOfALog, GoOnWhenTheLogGrows) {
  const PastStates states = past();
  EXPECT_EQ(outcome(states.at()), digests[last]);
  std::vector<RecordedEvent> more{{Position(last + 1), {.at = end.time, .body = EngineStopped{}}}};
  EXPECT_EQ(code_of(states.at(Position(last + 1))), "not_found");
  append(more);
  EXPECT_EQ(outcome(states.at()), digests[last + 1]);
  EXPECT_EQ(outcome(states.at(Position(last))), digests[last]);
}

TEST_F(PastStatesOfALog, BehindTheEndAreAnErrorThatSaysWhereItIs) {
  const PastStates states = past();
  auto state = states.at(Position(last + 100));
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().message, "the log ends at position " + std::to_string(last) +
                                       ", before " + std::to_string(last + 100));
  EXPECT_EQ(states.kept(), 0U);
}

TEST_F(PastStatesOfALog, OutliveTheFrontOfTheLog) {
  const PastStates states = past({.every = 100'000});
  ASSERT_TRUE(states.at(Position(40)) && states.at(Position(200)));
  const std::uint64_t first = trim(200);
  ASSERT_GT(first, 50U);
  ASSERT_LE(first, 200U);
  EXPECT_EQ(outcome(states.at(Position(40))), digests[40]);
  EXPECT_EQ(outcome(states.at(Position(last))), digests[last]);
  EXPECT_EQ(code_of(states.at(Position(41))), "refused");
}

TEST_F(PastStatesOfALog, BeginAtACheckpointWhereTheLogWasTrimmedBehindWhatIsKept) {
  write_checkpoint(150);
  const PastStates states = past({.every = 100'000});
  ASSERT_TRUE(states.at(Position(100)));
  ASSERT_GT(trim(150), 101U);
  EXPECT_EQ(outcome(states.at(Position(160))), digests[160]);
}

}  // namespace
}  // namespace almanac::test
