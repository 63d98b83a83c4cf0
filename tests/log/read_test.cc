// Every way to read a log, against the list of events it was made of.
#include <almanac/log/log.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/event_text.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using Texts = std::vector<std::string>;

constexpr Time begin(std::chrono::hours(1));

std::uint64_t draw(std::mt19937_64& random, std::uint64_t below) { return random() % below; }

// Events of few streams, types and times, so that every filter finds some.
Event any_event(std::mt19937_64& random, Time at, std::uint64_t position) {
  constexpr std::array<std::string_view, 4> streams{"", "", "a", "b"};
  Event event{.at = at, .stream = streams.at(draw(random, 4))};
  if (draw(random, 3) == 0) event.correlation = Position(1 + draw(random, position));
  switch (draw(random, 4)) {
    case 0: event.body = TaskReadied{TaskId(position)}; break;
    case 1: event.body = EngineStopped{}; break;
    case 2: event.body = CustomEvent{"x", as_bytes("1")}; break;
    default: event.body = CustomEvent{"y", as_bytes("2")};
  }
  return event;
}

// A log of random frames, half of them in the store and the others, mostly, on their way there.
class RandomLog {
 public:
  explicit RandomLog(std::uint64_t seed, bool index = true) : random_(seed) {
    for (int opens = 0; opens < 2; ++opens) {
      log_.reset();
      auto opened = Log::open(folder_ / "log", {.index = index});
      EXPECT_TRUE(opened) << opened.error().message;
      log_ = std::move(*opened);
      for (int frames = 0; frames < 12; ++frames) append();
    }
  }

  [[nodiscard]] const Log& log() const { return *log_; }
  [[nodiscard]] const std::vector<RecordedEvent>& events() const { return events_; }
  [[nodiscard]] std::mt19937_64& random() { return random_; }
  // The same events as another program sees them, once this one has closed.
  void open_for_reading() {
    log_.reset();
    auto opened = Log::open(folder_ / "log", {.access = Access::read});
    ASSERT_TRUE(opened) << opened.error().message;
    log_ = std::move(*opened);
  }

  [[nodiscard]] Texts where(const std::function<bool(const RecordedEvent&)>& wanted) const {
    Texts texts;
    for (const RecordedEvent& one : events_) {
      if (wanted(one)) texts.push_back(event_text(one));
    }
    return texts;
  }

 private:
  void append() {
    std::vector<Event> batch;
    for (auto count = 1 + draw(random_, 5); count > 0; --count) {
      at_ += Duration(draw(random_, 3));  // many at the same time
      batch.push_back(any_event(random_, at_, events_.size() + 1));
      events_.push_back({Position(events_.size() + 1), batch.back()});
    }
    ASSERT_TRUE(log_->append_and_wait(batch));
  }

  TempFolder folder_;
  std::mt19937_64 random_;
  Time at_ = begin;
  std::vector<RecordedEvent> events_;
  std::unique_ptr<Log> log_;
};

// Collects what it is given.
struct Collected {
  Texts texts;
  EventVisit visit = [this](const RecordedEvent& recorded) -> Result<bool> {
    texts.push_back(event_text(recorded));
    return true;
  };
};

template <class Read>
Texts texts_of_read(const Read& read) {
  Collected collected;
  auto done = read(collected.visit);
  EXPECT_TRUE(done) << done.error().message;
  return collected.texts;
}

TEST(ReadBackward, IsReadingForwardReversedFromEveryPosition) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    RandomLog random(seed);
    for (int round = 0; round < 2; ++round, random.open_for_reading()) {
      for (std::uint64_t from = 0; from <= random.events().size() + 2; ++from) {
        auto expected = random.where([&](const auto& one) { return one.position.value <= from; });
        std::ranges::reverse(expected);
        auto backward = texts_of_read([&](const EventVisit& visit) {
          return random.log().read_backward(Position(from), visit);
        });
        ASSERT_EQ(backward, expected) << from;
      }
    }
  }
}

TEST(ReadBackward, BeginsAtTheEndWhereNoPositionIsSo) {
  RandomLog random(7);
  auto all = random.where([](const auto&) { return true; });
  std::ranges::reverse(all);
  EXPECT_EQ(texts_of_read([&](const EventVisit& visit) {
              return random.log().read_backward(Position(UINT64_MAX), visit);
            }),
            all);
}

TEST(ReadBackward, StopsWhenToldToAndHandsOnTheErrorOfTheVisitor) {
  RandomLog random(8);
  for (std::uint64_t calls_max = 1; calls_max <= random.events().size(); ++calls_max) {
    std::uint64_t calls = 0;
    auto stopped = random.log().read_backward(
        Position(UINT64_MAX),
        [&](const RecordedEvent&) -> Result<bool> { return ++calls < calls_max; });
    EXPECT_TRUE(stopped);
    EXPECT_EQ(calls, calls_max);
    auto failed = random.log().read_backward(
        Position(calls_max),
        [&](const RecordedEvent&) -> Result<bool> { return fail(ErrorCode::busy, "later"); });
    EXPECT_EQ(code_of(failed), "busy");
  }
}

bool passes(const ReadOptions& options, const RecordedEvent& one) {
  if (one.position < options.from || one.position > options.through) return false;
  if (options.since && one.event.at < *options.since) return false;
  if (options.until && one.event.at >= *options.until) return false;
  return options.matches(one);
}

ReadOptions any_options(RandomLog& random) {
  auto& choice = random.random();
  const auto end = random.events().size() + 2;
  ReadOptions options;
  if (draw(choice, 2) == 0) options.direction = Direction::backward;
  if (draw(choice, 2) == 0) options.from = Position(draw(choice, end));
  if (draw(choice, 2) == 0) options.through = Position(draw(choice, end));
  if (draw(choice, 3) == 0) options.since = begin + Duration(draw(choice, end));
  if (draw(choice, 3) == 0) options.until = begin + Duration(draw(choice, end));
  if (draw(choice, 3) == 0) options.stream = draw(choice, 2) == 0 ? "a" : "none such";
  if (draw(choice, 3) == 0) options.types = {"x", "TaskReadied"};
  if (draw(choice, 4) == 0) options.types = {"custom"};
  if (draw(choice, 4) == 0) options.correlation = Position(1 + draw(choice, 9));
  return options;
}

TEST(ReadWithOptions, GivesWhatPassesAllThatIsSaidInEitherDirection) {
  std::size_t given = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    RandomLog random(seed);
    for (int round = 0; round < 300; ++round) {
      const auto options = any_options(random);
      auto expected = random.where([&](const auto& one) { return passes(options, one); });
      if (options.direction == Direction::backward) std::ranges::reverse(expected);
      given += expected.size();
      ASSERT_EQ(
          texts_of_read([&](const EventVisit& visit) { return random.log().read(options, visit); }),
          expected)
          << round;
    }
  }
  EXPECT_GT(given, 1'000U) << "the filters let something through";
}

TEST(ReadWithOptions, FindsCustomEventsByTheirOwnTypeAndByTheWordCustom) {
  RandomLog random(3);
  auto count = [&](std::vector<std::string_view> types) {
    return texts_of_read([&](const EventVisit& visit) {
             return random.log().read(ReadOptions{.types = std::move(types)}, visit);
           })
        .size();
  };
  EXPECT_GT(count({"x"}), 0U);
  EXPECT_EQ(count({"x", "y"}), count({"custom"}));
  EXPECT_EQ(count({"custom", "TaskReadied", "EngineStopped"}), random.events().size());
  EXPECT_EQ(count({"z"}), 0U);
}

TEST(ReadWithOptions, FollowsAStoryByItsCorrelation) {
  TempFolder folder;
  TestLog log(folder / "log");
  ASSERT_TRUE(log.append({{.at = begin}, {.at = begin, .correlation = Position(1)}}));
  ASSERT_TRUE(log.append({{.at = begin}, {.at = begin, .correlation = Position(1)}}));
  std::vector<std::uint64_t> found;
  auto read = log->read(ReadOptions{.correlation = Position(1)},
                        [&](const RecordedEvent& recorded) -> Result<bool> {
                          found.push_back(recorded.position.value);
                          return true;
                        });
  EXPECT_TRUE(read);
  EXPECT_EQ(found, (std::vector<std::uint64_t>{1, 2, 4})) << "what began it, and what followed";
}

TEST(PositionAt, IsTheFirstEventThatIsNotOlder) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    RandomLog random(seed);
    const auto& events = random.events();
    for (auto at = begin - Duration(2); at <= events.back().event.at + Duration(2);
         at += Duration(1)) {
      auto not_older = [&](const RecordedEvent& one) { return one.event.at >= at; };
      auto index = std::ranges::find_if(events, not_older) - events.begin();
      ASSERT_EQ(random.log().position_at(at), Position(static_cast<std::uint64_t>(index) + 1));
    }
  }
}

TEST(PositionAt, OfAnEmptyLogIsTheFirst) {
  TempFolder folder;
  TestLog log(folder / "log");
  EXPECT_EQ(log->position_at(begin), Position(1));
}

// From every version on, also from behind the end.
void check_streams(const RandomLog& random) {
  for (std::string_view stream : {"a", "b", "none such"}) {
    auto events = random.where([&](const auto& one) { return one.event.stream == stream; });
    for (std::uint64_t from = 0; from <= events.size() + 3; ++from) {
      auto skipped = std::min<std::uint64_t>(from == 0 ? 0 : from - 1, events.size());
      const Texts expected(events.begin() + static_cast<long>(skipped), events.end());
      ASSERT_EQ(texts_of_read([&](const EventVisit& visit) {
                  return random.log().read_stream(stream, from, visit);
                }),
                expected)
          << stream << " from version " << from;
    }
  }
}

TEST(ReadStream, GivesItsEventsFromAnyVersionOnWithAnIndexAndWithout) {
  for (bool index : {true, false}) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      SCOPED_TRACE(seed);
      RandomLog random(seed, index);
      check_streams(random);
      random.open_for_reading();
      check_streams(random);
    }
  }
}

TEST(ReadStream, StopsWhenToldToAndHandsOnTheErrorOfTheVisitor) {
  RandomLog random(2);
  for (int round = 0; round < 2; ++round, random.open_for_reading()) {
    int calls = 0;
    auto stopped = random.log().read_stream(
        "a", 1, [&](const RecordedEvent&) -> Result<bool> { return ++calls < 3; });
    EXPECT_TRUE(stopped);
    EXPECT_EQ(calls, 3);
    auto failed = random.log().read_stream("a", 1, [](const RecordedEvent&) -> Result<bool> {
      return fail(ErrorCode::not_found, "the visitor misses something");
    });
    EXPECT_EQ(code_of(failed), "not_found");
  }
}

// Frames move from memory into the store while they are read: no reader may take that for damage.
TEST(Reading, GoesOnWhileFramesMoveIntoTheStore) {
  TempFolder folder;
  auto opened = Log::open(folder / "log", {.pending_bytes_max = 64 * limits::mebibyte});
  ASSERT_TRUE(opened);
  Log& log = **opened;
  const std::string data(20 * limits::kibibyte, 'x');
  constexpr std::uint64_t count = 800;  // 16 MB, settled in many commits
  ASSERT_TRUE(log.append_and_wait(Event{.at = Time(Duration(1))}));
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> reads = 0;
  std::vector<std::jthread> readers;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    readers.emplace_back([&, seed] {
      std::mt19937_64 random(seed);
      for (; !done || reads < 100; ++reads) {
        auto end = log.tail()->last.value;
        auto from = end - draw(random, std::min<std::uint64_t>(end, 50));
        auto next = from;
        auto forward = log.read(Position(from), [&](const RecordedEvent& one) -> Result<bool> {
          EXPECT_EQ(one.position, Position(next++));
          return next < from + 20;
        });
        EXPECT_TRUE(forward) << forward.error().message;
        EXPECT_GT(next, from);
        next = from;
        auto backward =
            log.read_backward(Position(from), [&](const RecordedEvent& one) -> Result<bool> {
              EXPECT_EQ(one.position, Position(next--));
              return next > 0 && next + 20 > from;
            });
        EXPECT_TRUE(backward) << backward.error().message;
        EXPECT_LT(next, from);
        auto at = Time(Duration(static_cast<std::int64_t>(from)));
        EXPECT_EQ(log.position_at(at), Position(from));
      }
    });
  }
  for (std::uint64_t i = 2; i <= count; ++i) {
    auto at = Time(Duration(static_cast<std::int64_t>(i)));
    ASSERT_TRUE(log.append_and_wait(Event{.at = at, .body = CustomEvent{"", as_bytes(data)}}));
  }
  done = true;
}

}  // namespace
}  // namespace almanac::test
