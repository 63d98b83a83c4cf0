// Expected versions of streams, and idempotency keys.
#include <almanac/log/log.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/event_text.h>
#include <almanac/tests/support/gate.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Log> open_indexed(const std::filesystem::path& folder, LogOptions options = {}) {
  auto log = Log::open(folder, std::move(options));
  EXPECT_TRUE(log) << log.error().message;
  return log ? std::move(*log) : nullptr;
}

Event in_stream(std::string_view stream, std::string_view text = "x") {
  return {.at = {}, .stream = stream, .body = CustomEvent{"note", as_bytes(text)}};
}
Event with_key(std::string_view key, std::string_view text = "x") {
  return {.at = {}, .idempotency_key = key, .body = CustomEvent{"note", as_bytes(text)}};
}

Result<Appended> append(Log& log, const std::vector<Event>& events,
                        const std::vector<ExpectedVersion>& expected = {}) {
  return log.append_and_wait(events, {.expected = expected});
}

TEST(Versions, CountTheEventsOfAStream) {
  TempFolder folder;
  auto log = open_indexed(folder / "log");
  EXPECT_EQ(log->version("a"), 0U);
  ASSERT_TRUE(append(*log, {in_stream("a"), in_stream("b"), in_stream("a")}));
  EXPECT_EQ(log->version("a"), 2U);
  EXPECT_EQ(log->version("b"), 1U);
  EXPECT_EQ(log->version("c"), 0U);
  EXPECT_EQ(log->version(""), 0U) << "events without a stream are in none";
}

TEST(ExpectedVersions, AnyWillDoWhereNothingIsSaid) {
  TempFolder folder;
  auto log = open_indexed(folder / "log");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(append(*log, {in_stream("a")}));
}

TEST(ExpectedVersions, LetAStreamBeginOnlyOnce) {
  TempFolder folder;
  auto log = open_indexed(folder / "log");
  EXPECT_TRUE(append(*log, {in_stream("a")}, {{"a", 0}}));
  auto again = append(*log, {in_stream("a")}, {{"a", 0}});
  ASSERT_FALSE(again);
  EXPECT_EQ(code_of(again), "conflict");
  EXPECT_EQ(again.error().message, "the stream a is at version 1 and was expected not to exist");
  EXPECT_NE(again.error().next_step, "");
  EXPECT_EQ(log->tail()->last, Position(1)) << "a refused append takes no position";
  EXPECT_EQ(log->version("a"), 1U);
}

TEST(ExpectedVersions, MustBeThoseOfAllStreamsNamed) {
  TempFolder folder;
  auto log = open_indexed(folder / "log");
  ASSERT_TRUE(append(*log, {in_stream("a"), in_stream("a"), in_stream("b")}));
  EXPECT_EQ(code_of(append(*log, {in_stream("a")}, {{"a", 1}})), "conflict");
  EXPECT_EQ(code_of(append(*log, {in_stream("a")}, {{"a", 3}})), "conflict");
  EXPECT_EQ(code_of(append(*log, {in_stream("a")}, {{"a", 2}, {"b", 0}})), "conflict");
  EXPECT_EQ(code_of(append(*log, {in_stream("a")}, {{"a", 2}, {"c", 1}})), "conflict");
  EXPECT_TRUE(append(*log, {in_stream("a"), in_stream("c")}, {{"a", 2}, {"b", 1}, {"c", 0}}));
  EXPECT_EQ(log->version("a"), 3U);
  EXPECT_EQ(log->version("b"), 1U);
  EXPECT_EQ(log->version("c"), 1U);
}

TEST(ExpectedVersions, HoldForAppendsThatAreOnTheirWay) {
  TempFolder folder;
  auto log = open_indexed(folder / "log", {.grouped_within = 1h});
  const std::vector<Event> events{in_stream("a")};
  const ExpectedVersion none{"a", 0};
  AppendOptions grouped{.durability = Durability::grouped, .expected = {&none, 1}};
  EXPECT_TRUE(log->append(events, grouped));
  EXPECT_EQ(code_of(log->append(events, grouped)), "conflict");
}

TEST(ExpectedVersions, AreTheSameAfterReopening) {
  TempFolder folder;
  for (std::uint64_t version = 0; version < 3; ++version) {
    auto log = open_indexed(folder / "log");
    EXPECT_EQ(log->version("a"), version);
    EXPECT_EQ(code_of(append(*log, {in_stream("a")}, {{"a", version + 1}})), "conflict");
    EXPECT_TRUE(append(*log, {in_stream("a")}, {{"a", version}}));
  }
}

TEST(ExpectedVersions, AreRefusedNotForgottenWithoutAnIndex) {
  TempFolder folder;
  auto log = open_indexed(folder / "log", {.index = false});
  EXPECT_EQ(code_of(append(*log, {in_stream("a")}, {{"a", 0}})), "refused");
  const ExpectedVersion none{"a", 0};
  EXPECT_EQ(code_of(log->append(make_batch({numbered_event(1)}), {.expected = {&none, 1}})),
            "refused");
  EXPECT_EQ(code_of(log->version("a")), "refused");
  EXPECT_TRUE(append(*log, {in_stream("a")}));
}

TEST(Index, CatchesUpWithALogThatWasWrittenWithoutIt) {
  TempFolder folder;
  {
    auto log = open_indexed(folder / "log", {.index = false});
    ASSERT_TRUE(append(*log, {in_stream("a"), with_key("k", "first"), in_stream("a")}));
    ASSERT_TRUE(append(*log, {with_key("k", "second")})) << "nobody looks";
  }
  for (int round = 0; round < 2; ++round) {
    auto log = open_indexed(folder / "log");
    EXPECT_EQ(log->version("a"), 2U);
    auto first = append(*log, {with_key("k", "first")});
    ASSERT_TRUE(first) << "the first use counts";
    EXPECT_EQ(first->first, Position(2));
    EXPECT_TRUE(first->repeated);
    EXPECT_EQ(code_of(append(*log, {with_key("k", "second")})), "conflict");
  }
}

TEST(Index, CatchesUpFromWhereItWasLeft) {
  TempFolder folder;
  { ASSERT_TRUE(append(*open_indexed(folder / "log"), {in_stream("a")})); }
  { ASSERT_TRUE(append(*open_indexed(folder / "log", {.index = false}), {in_stream("a")})); }
  auto log = open_indexed(folder / "log");
  EXPECT_EQ(log->version("a"), 2U);
  std::vector<Position> positions;
  auto read = log->read_stream("a", 1, [&](const RecordedEvent& recorded) -> Result<bool> {
    positions.push_back(recorded.position);
    return true;
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(positions, (std::vector<Position>{Position(1), Position(2)}));
}

TEST(IdempotencyKey, GivesTheFirstPositionsAgain) {
  TempFolder folder;
  auto log = open_indexed(folder / "log");
  ASSERT_TRUE(append(*log, {in_stream("a")}));
  const std::vector<Event> batch{with_key("k1", "one"), with_key("k2", "two")};
  auto first = append(*log, batch);
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->repeated);
  auto again = append(*log, batch);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->repeated);
  EXPECT_TRUE(again->durable);
  EXPECT_EQ(again->first, Position(2));
  EXPECT_EQ(again->last, Position(3));
  EXPECT_EQ(log->tail()->last, Position(3));
}

TEST(IdempotencyKey, LooksAtAllThatAnEventSaysButItsTime) {
  TempFolder folder;
  auto log = open_indexed(folder / "log");
  Event event = with_key("k", "one");
  event.stream = "s";
  ASSERT_TRUE(append(*log, {event}));
  event.at = Time(24h * 365 * 100);
  EXPECT_TRUE(append(*log, {event})->repeated);
  for (int change = 0; change < 4; ++change) {
    Event other = event;
    if (change == 0) other.stream = "t";
    if (change == 1) other.correlation = Position(1);
    if (change == 2) other.causation = Position(1);
    if (change == 3) other.body = CustomEvent{"note", as_bytes("two")};
    auto refused = append(*log, {other});
    EXPECT_EQ(code_of(refused), "conflict") << change;
    EXPECT_NE(refused.error().next_step, "");
  }
  EXPECT_EQ(log->tail()->last, Position(1));
  EXPECT_EQ(log->version("s"), 1U);
}

TEST(IdempotencyKey, IsAnsweredBeforeTheExpectedVersionIsLookedAt) {
  TempFolder folder;
  auto log = open_indexed(folder / "log");
  Event event = with_key("k");
  event.stream = "s";
  ASSERT_TRUE(append(*log, {event}, {{"s", 0}}));
  auto again = append(*log, {event}, {{"s", 0}});
  ASSERT_TRUE(again) << "the answer to the first may have been lost";
  EXPECT_EQ(again->first, Position(1));
}

TEST(IdempotencyKey, RefusesABatchOfWhichOnlySomeIsThere) {
  TempFolder folder;
  auto log = open_indexed(folder / "log");
  ASSERT_TRUE(append(*log, {with_key("k1"), with_key("k2")}));
  EXPECT_EQ(code_of(append(*log, {with_key("k1"), with_key("k3")})), "conflict");
  EXPECT_EQ(code_of(append(*log, {with_key("k2"), with_key("k1")})), "conflict");
  EXPECT_EQ(code_of(append(*log, {with_key("k1"), in_stream("a")})), "conflict");
  EXPECT_EQ(append(*log, {with_key("k3")})->first, Position(3)) << "it was left free";
}

TEST(IdempotencyKey, IsRefusedTwiceInOneBatch) {
  TempFolder folder;
  auto log = open_indexed(folder / "log");
  EXPECT_EQ(code_of(append(*log, {with_key("k"), with_key("k")})), "invalid");
  EXPECT_EQ(code_of(append(*log, {with_key("k", "1"), with_key("k", "2")})), "invalid");
  EXPECT_EQ(log->tail()->last, Position());
}

TEST(IdempotencyKey, IsKnownForEver) {
  TempFolder folder;
  constexpr int keys = 300;
  auto nth = [](int i) { return "key " + std::to_string(i); };
  {
    auto log = open_indexed(folder / "log");
    for (int i = 0; i < keys; ++i) ASSERT_TRUE(log->append(std::vector{with_key(nth(i))}));
  }
  {
    auto log = open_indexed(folder / "log");
    for (int i = 0; i < keys; ++i) {
      auto again = append(*log, {with_key(nth(i))});
      ASSERT_TRUE(again);
      EXPECT_TRUE(again->repeated);
      EXPECT_EQ(again->first, Position(static_cast<std::uint64_t>(i) + 1));
    }
    EXPECT_EQ(log->tail()->last, Position(keys));
  }
}

// A log whose writer stands still in its first report, so that what is appended meanwhile waits.
struct IndexedLog {
  explicit IndexedLog(const std::filesystem::path& folder)
      : log(open_indexed(folder, {.on_commit = [this](const CommitReport&) { gate.pass(); },
                                  .grouped_within = 1h})) {
    const std::vector<Event> events{in_stream("held")};
    EXPECT_TRUE(log->append(events));
    gate.wait_for_arrivals(1);
  }
  ~IndexedLog() { gate.open(); }
  IndexedLog(const IndexedLog&) = delete;
  IndexedLog& operator=(const IndexedLog&) = delete;

  Gate gate;
  std::unique_ptr<Log> log;
};

TEST(IdempotencyKey, IsNotAcknowledgedBeforeTheFirstUseOfItIsOnDisk) {
  TempFolder folder;
  IndexedLog held(folder / "log");
  const std::vector<Event> events{with_key("k")};
  auto first = held.log->append(events, {.durability = Durability::grouped});
  auto again = held.log->append(events);
  ASSERT_TRUE(first && again);
  EXPECT_TRUE(again->appended.repeated);
  EXPECT_EQ(again->appended.first, Position(2));
  EXPECT_EQ(again->frame, first->frame) << "there is as much to wait for";
  auto grouped = held.log->append(events, {.durability = Durability::grouped});
  EXPECT_FALSE(grouped->appended.durable);
  held.gate.open();
  EXPECT_TRUE(held.log->wait(*again)) << "which hurries what was grouped";
  EXPECT_EQ(held.log->tail()->last, Position(2));
}

// Appends until the log has no room; every event is in the stream "full".
std::uint64_t fill_log(Log& log, const std::string& data) {
  for (std::uint64_t count = 0;; ++count) {
    auto appended = log.append_and_wait(in_stream("full", data));
    if (appended) continue;
    EXPECT_EQ(code_of(appended), "storage_full");
    return count;
  }
}

TEST(Index, TakesBackWhatARefusedCommitWouldHaveAdded) {
  TempFolder folder;
  const std::string data(16 * limits::kibibyte, 'x');
  std::uint64_t count = 0;
  {
    auto log = open_indexed(folder / "log", {.map_bytes = 512 * limits::kibibyte});
    count = fill_log(*log, data);
    EXPECT_EQ(log->version("full"), count);
    Event event = with_key("k", data);
    event.stream = "new";
    EXPECT_EQ(code_of(append(*log, {event}, {{"new", 0}, {"full", count}})), "storage_full");
    EXPECT_EQ(log->version("new"), 0U);
    EXPECT_EQ(log->version("full"), count);
  }
  auto log = open_indexed(folder / "log", {.map_bytes = 2 * limits::mebibyte});
  EXPECT_EQ(log->version("full"), count);
  auto stored = append(*log, {with_key("k", "other")});
  ASSERT_TRUE(stored) << "the key was given back";
  EXPECT_FALSE(stored->repeated);
  EXPECT_EQ(stored->first, Position(count + 1));
}

// The refused frame had the positions that the first use has now.
TEST(IdempotencyKey, WaitsForItsFirstUseAndNotForARefusedFrameInItsPlace) {
  TempFolder folder;
  const std::string data(16 * limits::kibibyte, 'x');
  auto log =
      open_indexed(folder / "log", {.map_bytes = 512 * limits::kibibyte, .grouped_within = 1h});
  log->set_reserve(64 * limits::kibibyte);
  fill_log(*log, data);
  const std::vector<Event> events{with_key("k")};
  auto first = log->append(events, {.durability = Durability::grouped, .space = Space::reserve});
  auto again = log->append(events, {.space = Space::reserve});
  ASSERT_TRUE(first && again);
  EXPECT_EQ(again->appended.first, first->appended.first);
  EXPECT_EQ(code_of(log->wait(*again)), "ok");
  EXPECT_EQ(log->tail()->last, first->appended.last);
}

}  // namespace
}  // namespace almanac::test
