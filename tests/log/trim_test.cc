// Removing the front of a log, quota and reserve.
#include <almanac/log/log.h>
#include <almanac/log/verify.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/event_text.h>
#include <almanac/tests/support/gate.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr Time begin_log(1h);

const std::string& large_data() {
  static const std::string data(600 * limits::kibibyte, 'x');
  return data;
}

// Each is a value of the store of its own, so that any of them can be removed.
Event large_event(std::uint64_t number) {
  return {.at = begin_log + std::chrono::minutes(number),
          .stream = "s",
          .body = CustomEvent{"large", as_bytes(large_data())}};
}

// A log of `count` large events, all of them in the store.
class LargeLog {
 public:
  explicit LargeLog(std::uint64_t count, LogOptions options = {})
      : options_(std::move(options)), log_(std::make_unique<TestLog>(path(), options_)) {
    append(count);
    reopen();
  }
  void append(std::uint64_t count) {
    for (; count > 0; --count) ASSERT_TRUE(log_->append({large_event(++last_)}));
  }
  // A log that is closed has everything in its store.
  void reopen() {
    log_.reset();
    log_ = std::make_unique<TestLog>(path(), options_);
  }
  [[nodiscard]] fs::path path() const { return folder_ / "log"; }
  [[nodiscard]] Log* operator->() { return log_->operator->(); }
  [[nodiscard]] Log& operator*() { return **log_; }

 private:
  TempFolder folder_;
  LogOptions options_;
  std::uint64_t last_ = 0;
  std::unique_ptr<TestLog> log_;
};

std::vector<std::uint64_t> positions(const Log& log, Position from = Position(1)) {
  std::vector<std::uint64_t> found;
  auto read = log.read(from, [&](const RecordedEvent& recorded) -> Result<bool> {
    found.push_back(recorded.position.value);
    return true;
  });
  EXPECT_TRUE(read) << read.error().message;
  return found;
}
using Positions = std::vector<std::uint64_t>;

TEST(Checkpoint, LiesBetweenTheLastOneAndTheEnd) {
  LargeLog log(3);
  EXPECT_EQ(code_of(log->set_checkpoint(Position(4))), "invalid");
  EXPECT_TRUE(log->set_checkpoint(Position(2)));
  EXPECT_EQ(code_of(log->set_checkpoint(Position(1))), "invalid");
  log.reopen();
  EXPECT_EQ(code_of(log->set_checkpoint(Position(1))), "invalid") << "it is kept";
  EXPECT_TRUE(log->set_checkpoint(Position(2)));
  EXPECT_TRUE(log->set_checkpoint(Position(3)));
}

TEST(Trim, IsRefusedWithoutACheckpoint) {
  LargeLog log(3);
  auto trimmed = log->trim({.before = Position(3)});
  ASSERT_FALSE(trimmed);
  EXPECT_EQ(code_of(trimmed), "refused");
  EXPECT_NE(trimmed.error().next_step, "");
  EXPECT_EQ(log->first(), Position(1));
}

TEST(Trim, WantsToBeToldHowMuch) {
  LargeLog log(3);
  ASSERT_TRUE(log->set_checkpoint(Position(3)));
  EXPECT_EQ(code_of(log->trim({})), "invalid");
  EXPECT_EQ(log->first(), Position(1));
}

TEST(Trim, RemovesTheEventsInFrontOfAPosition) {
  LargeLog log(6);
  ASSERT_TRUE(log->set_checkpoint(Position(6)));
  auto trimmed = log->trim({.before = Position(4)});
  ASSERT_TRUE(trimmed) << trimmed.error().message;
  EXPECT_EQ(trimmed->first, Position(4));
  EXPECT_EQ(trimmed->events, 3U);
  EXPECT_GE(trimmed->bytes, 3 * large_data().size());
  EXPECT_FALSE(trimmed->held_by);
  EXPECT_EQ(positions(*log), (Positions{4, 5, 6}));
  auto again = log->trim({.before = Position(4)});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->events, 0U);
}

TEST(Trim, NeverGoesBehindTheCheckpointAndSaysThatItWouldHave) {
  LargeLog log(6);
  ASSERT_TRUE(log->set_checkpoint(Position(2)));
  auto trimmed = log->trim({.before = Position(5)});
  ASSERT_TRUE(trimmed);
  EXPECT_EQ(trimmed->first, Position(3));
  EXPECT_EQ(trimmed->held_by, Position(2));
}

TEST(Trim, DoesNotBlameACheckpointAtTheEnd) {
  LargeLog log(3);
  ASSERT_TRUE(log->set_checkpoint(Position(3)));
  auto trimmed = log->trim({.before = Position(1'000)});
  ASSERT_TRUE(trimmed);
  EXPECT_FALSE(trimmed->held_by);
}

TEST(Trim, RemovesWhatIsOlderThanATime) {
  LargeLog log(6);
  ASSERT_TRUE(log->set_checkpoint(Position(6)));
  EXPECT_EQ(log->trim({.older_than = begin_log})->events, 0U);
  EXPECT_EQ(log->trim({.older_than = begin_log + 3min})->first, Position(3));
  EXPECT_EQ(log->trim({.older_than = begin_log + 3min + 1us})->first, Position(4));
}

TEST(Trim, KeepsTheNewestSoManyBytes) {
  LargeLog log(6);
  ASSERT_TRUE(log->set_checkpoint(Position(6)));
  EXPECT_EQ(log->trim({.keep_bytes = 100 * limits::mebibyte})->events, 0U);
  auto trimmed = log->trim({.keep_bytes = 2 * large_data().size() + limits::kibibyte});
  ASSERT_TRUE(trimmed);
  EXPECT_EQ(trimmed->first, Position(5));
}

TEST(Trim, TakesTheLeastOfAllThatIsSaid) {
  LargeLog log(6);
  ASSERT_TRUE(log->set_checkpoint(Position(6)));
  auto trimmed =
      log->trim({.before = Position(5), .older_than = begin_log + 3min, .keep_bytes = 0});
  ASSERT_TRUE(trimmed);
  EXPECT_EQ(trimmed->first, Position(3));
}

// What holds of a log of six large events without the first three.
void check_trimmed(LargeLog& log) {
  EXPECT_EQ(log->first(), Position(4));
  EXPECT_EQ(log->tail()->last, Position(6));
  EXPECT_EQ(positions(*log), (Positions{4, 5, 6}));
  EXPECT_EQ(positions(*log, Position(2)), (Positions{4, 5, 6}));
  EXPECT_EQ(positions(*log, Position(5)), (Positions{5, 6}));
  Positions backward;
  auto read = log->read_backward(Position(9), [&](const RecordedEvent& one) -> Result<bool> {
    backward.push_back(one.position.value);
    return true;
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(backward, (Positions{6, 5, 4}));
  EXPECT_EQ(code_of(log->read_one(Position(3), [](const Event&) {})), "not_found");
  EXPECT_TRUE(log->read_one(Position(4), [](const Event&) {}));
  EXPECT_EQ(log->position_at(Time(1s)), Position(4));
  EXPECT_EQ(log->position_at(begin_log + 5min), Position(5));
  EXPECT_EQ(log->version("s"), 6U) << "versions are not forgotten";
  Positions stream;
  read = log->read_stream("s", 1, [&](const RecordedEvent& one) -> Result<bool> {
    stream.push_back(one.position.value);
    return true;
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(stream, (Positions{4, 5, 6}));
  auto verified = verify(*log);
  EXPECT_TRUE(verified) << verified.error().message;
}

TEST(TrimmedLog, IsReadVerifiedReopenedAndAppendedTo) {
  LargeLog log(6);
  ASSERT_TRUE(log->set_checkpoint(Position(6)));
  ASSERT_EQ(log->trim({.before = Position(4)})->first, Position(4));
  check_trimmed(log);
  log.reopen();
  check_trimmed(log);
  log.append(1);
  EXPECT_EQ(positions(*log), (Positions{4, 5, 6, 7}));
  EXPECT_EQ(log->version("s"), 7U);
}

TEST(TrimmedLog, IsNotRebuiltFromWhatIsLeft) {
  LargeLog log(4);
  ASSERT_TRUE(log->set_checkpoint(Position(4)));
  ASSERT_TRUE(log->trim({.before = Position(3)}));
  auto state = rebuild(*log);
  ASSERT_FALSE(state);
  EXPECT_EQ(code_of(state), "refused");
  EXPECT_TRUE(state.error().message.starts_with("the log begins at position 3"))
      << state.error().message;
  EXPECT_NE(state.error().next_step, "");
}

TEST(TrimmedLog, UsesTheRoomAgainAndGrowsNoFurther) {
  LargeLog log(4);
  std::uint64_t grown = 0;
  for (int round = 0; round < 10; ++round) {
    log.append(4);
    log.reopen();
    auto end = log->tail()->last;
    ASSERT_TRUE(log->set_checkpoint(end));
    ASSERT_TRUE(log->trim({.before = end}));
    const auto bytes = log->size()->store_bytes;
    if (round == 3) grown = bytes;
    if (round <= 3) continue;
    EXPECT_LE(bytes, grown + 700 * limits::kibibyte) << round;
  }
  EXPECT_GT(log->size()->store_free_bytes, 0U);
}

TEST(TrimmedLog, IsTrimmedWhileOthersReadAndAppend) {
  LargeLog log(6);
  ASSERT_TRUE(log->set_checkpoint(Position(6)));
  Positions seen;
  auto read = log->read(Position(1), [&](const RecordedEvent& one) -> Result<bool> {
    seen.push_back(one.position.value);
    if (one.position == Position(2)) {
      EXPECT_TRUE(log->trim({.before = Position(6)}));
      EXPECT_TRUE(log->append_and_wait(Event{}));
    }
    return true;
  });
  EXPECT_TRUE(read) << read.error().message;
  EXPECT_EQ(seen, (Positions{1, 2, 3, 4, 5, 6})) << "it sees the log as it was when it began";
  EXPECT_EQ(positions(*log).back(), 7U);
}

TEST(Quota, RefusesOrdinaryEventsAndTakesThoseOfTheReserve) {
  LargeLog log(4, {.quota_bytes = 2 * limits::mebibyte});
  auto refused = log->append_and_wait(Event{});
  ASSERT_FALSE(refused);
  EXPECT_EQ(code_of(refused), "storage_full");
  EXPECT_TRUE(refused.error().message.starts_with("the log has reached its quota"));
  EXPECT_NE(refused.error().next_step, "");
  log->resume();
  auto ending = log->append_and_wait(Event{}, {.space = Space::reserve});
  ASSERT_TRUE(ending) << ending.error().message;
  EXPECT_EQ(ending->first, Position(5));
}

TEST(Quota, TakesOrdinaryEventsAgainOnceTheLogIsTrimmed) {
  LargeLog log(6, {.quota_bytes = 3 * limits::mebibyte});
  ASSERT_EQ(code_of(log->append_and_wait(Event{})), "storage_full");
  log->resume();
  ASSERT_TRUE(log->set_checkpoint(Position(6)));
  ASSERT_TRUE(log->trim({.before = Position(5)}));
  auto appended = log->append_and_wait(Event{});
  ASSERT_TRUE(appended) << appended.error().message;
  EXPECT_EQ(appended->first, Position(7));
}

TEST(Reserve, IsRoomInTheJournalThatOrdinaryEventsDoNotGet) {
  TempFolder folder;
  TestLog log(folder / "log");
  ASSERT_TRUE(log.append(numbered_events(1, 1)));
  const auto before = log->size()->journal_bytes;
  log->set_reserve(limits::mebibyte);
  ASSERT_TRUE(log.append(numbered_events(2, 1)));
  EXPECT_GE(log->size()->journal_bytes, before + limits::mebibyte / 2)
      << "made before it is needed";
}

}  // namespace
}  // namespace almanac::test
