// The state at any position, folded from a log on disk.
#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/story.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <stop_token>

namespace almanac::test {
namespace {

Story long_story() {
  Story story;
  story.tell(EngineStarted{"0.1.0", 4711, 4, 42});
  for (std::uint64_t id = 1; id <= 40; ++id) {
    NewTask task{.id = id, .queue = id % 2 == 0 ? "even" : "odd", .attempts_max = 2};
    if (id > 3) task.dependencies = {id - 3};
    story.enqueue(task);
  }
  for (std::uint64_t id = 1; id <= 20; ++id) {
    if (!story.start(id)) continue;
    id % 7 == 0 ? story.fail(id) : story.succeed(id);
  }
  return story;
}

// Writes the events in frames of `frame` events and answers the states behind each, the empty one
// first.
std::vector<std::string> write(TestLog& log, const std::vector<RecordedEvent>& events,
                               std::size_t frame) {
  std::vector<std::string> digests{hex(State())};
  State state;
  std::vector<Event> open;
  for (const RecordedEvent& recorded : events) {
    state = fold(std::move(state), recorded);
    digests.push_back(hex(state));
    open.push_back(recorded.event);
    if (open.size() < frame && recorded.position != events.back().position) continue;
    EXPECT_TRUE(log.append(std::exchange(open, {})).has_value());
  }
  return digests;
}

TEST(Rebuild, GivesAtEveryPositionWhatStepByStepFoldingGave) {
  for (std::size_t frame : {1, 7, 1000}) {
    TempFolder folder;
    TestLog log(folder / "log");
    Story story = long_story();
    auto digests = write(log, story.events(), frame);
    ASSERT_GT(digests.size(), 60U);
    for (std::uint64_t position = 0; position < digests.size(); ++position) {
      auto state = rebuild(*log, {.through = Position(position)});
      ASSERT_TRUE(state.has_value()) << describe(state.error());
      EXPECT_EQ(state->position, Position(position));
      EXPECT_EQ(hex(*state), digests[position]) << position;
    }
  }
}

TEST(Rebuild, GoesToTheEndUnlessToldOtherwise) {
  TempFolder folder;
  TestLog log(folder / "log");
  Story story = long_story();
  auto digests = write(log, story.events(), 5);
  auto state = rebuild(*log);
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(hex(*state), digests.back());
  EXPECT_EQ(check_orders(*state), "");
}

TEST(Rebuild, ShowsEveryStateOnTheWayAndStopsWhereItIsTold) {
  TempFolder folder;
  TestLog log(folder / "log");
  Story story = long_story();
  auto digests = write(log, story.events(), 6);
  std::vector<std::string> seen{hex(State())};
  auto state = rebuild(*log, {.through = Position(10), .visit = [&](const State& on_the_way) {
                                seen.push_back(hex(on_the_way));
                              }});
  ASSERT_TRUE(state.has_value());
  digests.resize(11);
  EXPECT_EQ(seen, digests);
}

TEST(Rebuild, StopsBetweenTwoEventsWhenItIsToldTo) {
  TempFolder folder;
  TestLog log(folder.path());
  write(log, long_story().events(), 50);
  std::stop_source stop;
  Position seen;
  const auto rebuilt = rebuild(*log, {.visit =
                                          [&](const State& state) {
                                            seen = state.position;
                                            if (seen == Position(7)) stop.request_stop();
                                          },
                                      .stop = stop.get_token()});
  EXPECT_EQ(code_of(rebuilt), "stopped");
  EXPECT_EQ(seen, Position(7));
  EXPECT_EQ(code_of(state_at(*log, folder.path(), {}, stop.get_token())), "stopped");
}

TEST(Rebuild, OfAnEmptyLogIsTheEmptyState) {
  TempFolder folder;
  TestLog log(folder / "log");
  auto state = rebuild(*log);
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(hex(*state), hex(State()));
}

TEST(Rebuild, SaysWhereTheLogEndsWhenAskedForMore) {
  TempFolder folder;
  TestLog log(folder / "log");
  ASSERT_TRUE(log.append(numbered_events(1, 3)).has_value());
  auto state = rebuild(*log, {.through = Position(4)});
  ASSERT_FALSE(state.has_value());
  EXPECT_EQ(state.error().code, ErrorCode::not_found);
  EXPECT_EQ(state.error().message, "the log ends at position 3, before 4");
}

TEST(Rebuild, IsTheSameAfterTheLogWasClosedAndOpenedAgain) {
  TempFolder folder;
  std::string before;
  {
    TestLog log(folder / "log");
    Story story = long_story();
    before = write(log, story.events(), 9).back();
  }
  auto log = Log::open(folder / "log", {.access = Access::read});
  ASSERT_TRUE(log.has_value());
  EXPECT_EQ(hex(*rebuild(**log)), before);
}

// Changes one byte of a text that stands once in the log's file.
void damage(const std::filesystem::path& file, std::string_view text) {
  auto bytes = read_file(file);
  auto place = bytes.find(text);
  ASSERT_NE(place, std::string::npos);
  bytes[place] = static_cast<char>(bytes[place] ^ 1);
  write_file(file, bytes);
}

TEST(Rebuild, StopsAtDamageAndNamesItsPosition) {
  TempFolder folder;
  {
    TestLog log(folder / "log");
    for (const char* type : {"first", "second", "third"}) {
      ASSERT_TRUE(log.append({{.body = CustomEvent{type, as_bytes("some data")}}}).has_value());
    }
  }
  damage(folder / "log" / "log" / "data.mdb", "second");
  // A log is looked at from its end when it is opened; the damage is further in front.
  auto log = Log::open(folder / "log", {.access = Access::read});
  ASSERT_TRUE(log.has_value()) << describe(log.error());
  EXPECT_EQ(rebuild(**log, {.through = Position(1)})->position, Position(1));
  for (std::optional<Position> through : {std::optional<Position>(), {Position(2)}}) {
    auto state = rebuild(**log, {.through = through});
    ASSERT_FALSE(state.has_value());
    EXPECT_EQ(state.error().code, ErrorCode::corrupt);
    EXPECT_NE(state.error().message.find("position 2"), std::string::npos) << state.error().message;
  }
}

RC_GTEST_PROP(Rebuild, FoldsWhateverTheLogHolds, ()) {
  TempFolder folder;
  TestLog log(folder / "log", {.index = false});  // their keys may repeat
  State state;
  Time at(std::chrono::seconds(1));
  for (int left = *rc::gen::inRange(1, 5); left > 0; --left) {
    auto batch = any_batch(20, at);
    at = batch->events.back().at;
    RC_ASSERT(log.append(batch).has_value());
    for (const Event& event : batch->events) {
      state = fold(std::move(state), {state.position.next(), event});
    }
  }
  auto rebuilt = rebuild(*log);
  RC_ASSERT(rebuilt.has_value());
  RC_ASSERT(digest(*rebuilt) == digest(state));
}

}  // namespace
}  // namespace almanac::test
