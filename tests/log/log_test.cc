#include <almanac/log/log.h>
#include <almanac/log/verify.h>
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/event_text.h>
#include <almanac/tests/support/noon.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

std::unique_ptr<Log> open_for_reading(const std::filesystem::path& folder) {
  auto log = Log::open(folder, {.access = Access::read});
  EXPECT_TRUE(log) << log.error().message;
  return log ? std::move(*log) : nullptr;
}

// How many events each frame holds.
std::vector<std::uint32_t> frame_counts(const Log& log, Position from = Position(1)) {
  std::vector<std::uint32_t> counts;
  auto read = log.read_frames(from, [&](const FrameReader& frame) -> Result<bool> {
    counts.push_back(frame.header().count);
    return true;
  });
  EXPECT_TRUE(read) << read.error().message;
  return counts;
}

// A log of frames with 1, 2, 3 … events.
void fill_with_growing_frames(TestLog& log, std::uint64_t frames) {
  std::uint64_t next = 1;
  for (std::uint64_t count = 1; count <= frames; ++count) {
    ASSERT_EQ(log.append(numbered_events(next, count)), Position(next));
    next += count;
  }
}

TEST(Log, IsEmptyWhenItIsNew) {
  TempFolder folder;
  TestLog log(folder / "new");
  EXPECT_EQ(log->opened_tail().last, Position());
  EXPECT_EQ(log->tail()->last, Position());
  EXPECT_EQ(log->tail()->digest, Digest{});
  EXPECT_EQ(read_texts(*log), std::vector<std::string>());
  EXPECT_TRUE(frame_counts(*log).empty());
}

TEST(Log, GivesPositionsWithoutGapsFromOne) {
  TempFolder folder;
  TestLog log(folder / "log");
  EXPECT_EQ(log.append(numbered_events(1, 1)), Position(1));
  EXPECT_EQ(log.append(numbered_events(2, 5)), Position(2));
  EXPECT_EQ(log.append(numbered_events(7, 1)), Position(7));
  EXPECT_EQ(read_texts(*log), texts_of(numbered_events(1, 7)));
}

TEST(Log, KeepsItsEventsAndGoesOnBehindThemWhenOpenedAgain) {
  TempFolder folder;
  const auto events = one_of_each(noon);
  const Position last(events.size());
  Timeline timeline;
  Digest digest;
  {
    TestLog log(folder / "log", {.index = false});  // their keys repeat
    ASSERT_TRUE(log.append(events));
    timeline = log->timeline();
    digest = log->tail()->digest;
  }
  TestLog log(folder / "log");
  EXPECT_EQ(log->timeline(), timeline);
  EXPECT_EQ(log->opened_tail().last, last);
  EXPECT_EQ(log->opened_tail().time, events.back().at);
  EXPECT_EQ(log->opened_tail().digest, digest);
  EXPECT_EQ(log.append({{.at = noon + std::chrono::hours(1), .body = EngineStopped{}}}),
            last.next());
  EXPECT_EQ(log->opened_tail().last, last) << "where it ended when it was opened";
  EXPECT_EQ(log->tail()->last, last.next());
  auto texts = read_texts(*log);
  ASSERT_TRUE(texts);
  ASSERT_EQ(texts->size(), last.next().value);
  texts->pop_back();
  EXPECT_EQ(*texts, texts_of(events));
}

RC_GTEST_PROP(Log, GivesBackAnyEventsAfterAnyReopening, ()) {
  TempFolder folder;
  std::vector<std::shared_ptr<const EventBatch>> batches;
  std::vector<Event> expected;
  for (auto opens = *rc::gen::inRange(1, 4); opens > 0; --opens) {
    TestLog log(folder / "log", {.index = false});  // their keys may repeat
    for (auto appends = *rc::gen::inRange(1, 4); appends > 0; --appends) {
      batches.push_back(any_batch(6, expected.empty() ? noon : expected.back().at));
      const auto& events = batches.back()->events;
      RC_ASSERT(log.append(batches.back()).value() == Position(expected.size() + 1));
      expected.insert(expected.end(), events.begin(), events.end());
    }
    RC_ASSERT(read_texts(*log).value() == texts_of(expected));
    RC_ASSERT(verify(*log).value().last == Position(expected.size()));
  }
}

TEST(Log, HasATimelineOfItsOwn) {
  TempFolder folder;
  TestLog first(folder / "first");
  TestLog second(folder / "second");
  EXPECT_NE(first->timeline(), second->timeline());
  EXPECT_NE(first->timeline(), Timeline{});
}

TEST(Log, LinksEveryFrameToTheOneBefore) {
  TempFolder folder;
  TestLog log(folder / "log");
  fill_with_growing_frames(log, 5);
  Digest previous{};
  auto read = log->read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
    EXPECT_EQ(frame.header().previous, previous);
    EXPECT_EQ(frame.header().timeline, log->timeline());
    EXPECT_TRUE(frame.digest_matches());
    previous = frame.digest();
    return true;
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(log->tail()->digest, previous);
}

TEST(Log, ReadsFromEveryPosition) {
  TempFolder folder;
  TestLog log(folder / "log");
  fill_with_growing_frames(log, 5);
  const auto events = numbered_events(1, 15);
  EXPECT_EQ(read_texts(*log, Position(0)), texts_of(events));
  for (std::uint64_t from = 1; from <= 15; ++from) {
    const std::vector<Event> behind(events.begin() + static_cast<long>(from) - 1, events.end());
    EXPECT_EQ(read_texts(*log, Position(from)), texts_of(behind, Position(from))) << from;
  }
  for (std::uint64_t from : {std::uint64_t{16}, std::uint64_t{17}, UINT64_MAX}) {
    EXPECT_EQ(read_texts(*log, Position(from)), std::vector<std::string>()) << from;
  }
}

TEST(Log, ReadsFramesFromTheOneThatHoldsThePosition) {
  TempFolder folder;
  TestLog log(folder / "log");
  fill_with_growing_frames(log, 3);  // 1 | 2 3 | 4 5 6
  using Counts = std::vector<std::uint32_t>;
  EXPECT_EQ(frame_counts(*log, Position(1)), (Counts{1, 2, 3}));
  EXPECT_EQ(frame_counts(*log, Position(2)), (Counts{2, 3}));
  EXPECT_EQ(frame_counts(*log, Position(3)), (Counts{2, 3}));
  EXPECT_EQ(frame_counts(*log, Position(4)), (Counts{3}));
  EXPECT_EQ(frame_counts(*log, Position(6)), (Counts{3}));
  EXPECT_EQ(frame_counts(*log, Position(7)), (Counts{}));
  EXPECT_EQ(frame_counts(*log, Position(1'000)), (Counts{}));
}

TEST(Log, ReadsEveryEventAlone) {
  TempFolder folder;
  TestLog log(folder / "log");
  fill_with_growing_frames(log, 4);
  for (std::uint64_t at = 1; at <= 10; ++at) {
    std::string text;
    auto read = log->read_one(Position(at), [&](const Event& event) { text = event_text(event); });
    EXPECT_TRUE(read);
    EXPECT_EQ(text, event_text(numbered_event(at)));
  }
}

TEST(Log, SaysThatAnEventIsNotThere) {
  TempFolder folder;
  TestLog log(folder / "log");
  auto unexpected = [](const Event&) { FAIL() << "there is no such event"; };
  EXPECT_EQ(code_of(log->read_one(Position(1), unexpected)), "not_found");
  ASSERT_TRUE(log.append(numbered_events(1, 3)));
  for (std::uint64_t at : {std::uint64_t{0}, std::uint64_t{4}, UINT64_MAX}) {
    auto read = log->read_one(Position(at), unexpected);
    ASSERT_FALSE(read);
    EXPECT_EQ(code_of(read), "not_found");
    EXPECT_EQ(read.error().message, "the log has no event " + std::to_string(at));
  }
}

TEST(Log, StopsReadingWhenToldTo) {
  TempFolder folder;
  TestLog log(folder / "log");
  fill_with_growing_frames(log, 4);
  std::uint64_t calls = 0;
  auto read = log->read(Position(1), [&](const RecordedEvent& recorded) -> Result<bool> {
    ++calls;
    return recorded.position < Position(5);
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(calls, 5U);
}

TEST(Log, HandsOnTheErrorOfTheVisitor) {
  TempFolder folder;
  TestLog log(folder / "log");
  fill_with_growing_frames(log, 2);
  auto read = log->read(Position(2), [&](const RecordedEvent&) -> Result<bool> {
    return fail(ErrorCode::busy, "later");
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(code_of(read), "busy");
  EXPECT_EQ(read.error().message, "later");
}

TEST(Log, CommitsWhatWasAppendedBeforeItCloses) {
  TempFolder folder;
  {
    TestLog log(folder / "log");
    for (std::uint64_t i = 1; i <= 1'000; ++i) {
      ASSERT_EQ(log->append(make_batch({numbered_event(i)})), Position(i));
    }
  }
  EXPECT_EQ(read_texts(*open_for_reading(folder / "log")), texts_of(numbered_events(1, 1'000)));
}

TEST(Log, ReportsOnlyWhatCanBeReadAlready) {
  TempFolder folder;
  Log* opened = nullptr;
  std::atomic<std::uint64_t> wrong = 0;
  TestLog log(folder / "log", {.on_commit = [&](const CommitReport& report) {
                if (opened->tail()->last != report.through) ++wrong;
              }});
  opened = &*log;
  for (std::uint64_t i = 1; i <= 50; ++i) {
    ASSERT_TRUE(log->append(make_batch({numbered_event(i)})));
  }
  EXPECT_FALSE(log.wait_for(Position(50)).error);
  EXPECT_EQ(wrong, 0U);
}

TEST(Log, HasItsWriterUntilTheLastReport) {
  TempFolder folder;
  Log* opened = nullptr;
  std::atomic<std::uint64_t> refused = 0;
  {
    TestLog log(folder / "log", {.on_commit = [&](const CommitReport&) {
                  if (!opened->wait(AppendTicket{})) ++refused;
                }});
    opened = &*log;
    for (std::uint64_t i = 1; i <= 100; ++i) {
      ASSERT_TRUE(log->append(make_batch({numbered_event(i)})));
    }
  }
  EXPECT_EQ(refused, 0U);
}

TEST(Log, RefusesABatchThatCannotBeStoredAndKeepsItsPosition) {
  TempFolder folder;
  TestLog log(folder / "log");
  EXPECT_EQ(code_of(log->append(make_batch({}))), "invalid");
  const std::string name(200, 'n');
  EXPECT_EQ(code_of(log->append(make_batch({{.at = noon, .body = CustomEvent{name, {}}}}))),
            "invalid");
  EXPECT_EQ(log.append(numbered_events(1, 1)), Position(1));
  EXPECT_EQ(log.reports().size(), 1U);
}

TEST(Log, RefusesABatchOlderThanTheOneBefore) {
  TempFolder folder;
  {
    TestLog log(folder / "log");
    ASSERT_TRUE(log.append(numbered_events(100, 2)));
    EXPECT_EQ(code_of(log.append(numbered_events(100, 1))), "invalid");
    EXPECT_EQ(log.append(numbered_events(101, 1)), Position(3)) << "the same time is in order";
  }
  TestLog log(folder / "log");
  EXPECT_EQ(code_of(log.append(numbered_events(100, 1))), "invalid");
  EXPECT_EQ(log.append(numbered_events(101, 1)), Position(4));
  EXPECT_TRUE(verify(*log));
}

TEST(Log, CanBeReadByOneThreadWhileAnotherAppends) {
  TempFolder folder;
  TestLog log(folder / "log");
  constexpr std::uint64_t count = 300;
  std::thread reader([&] {
    Position next(1);
    while (next <= Position(count)) {
      auto read = log->read(next, [&](const RecordedEvent& recorded) -> Result<bool> {
        EXPECT_EQ(event_text(recorded),
                  event_text(RecordedEvent{next, numbered_event(next.value)}));
        next = next.next();
        return true;
      });
      ASSERT_TRUE(read) << read.error().message;
    }
  });
  for (std::uint64_t i = 1; i <= count; ++i) {
    ASSERT_TRUE(log->append(make_batch({numbered_event(i)})));
  }
  reader.join();
}

TEST(Log, CanAppendFromWithinARead) {
  TempFolder folder;
  TestLog log(folder / "log");
  ASSERT_TRUE(log.append(numbered_events(1, 1)));
  auto read = log->read(Position(1), [&](const RecordedEvent& recorded) -> Result<bool> {
    auto appended = log.append(numbered_events(recorded.position.value + 1, 1));
    EXPECT_TRUE(appended);
    EXPECT_TRUE(log->read_one(*appended, [](const Event&) {}));
    return true;
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(log->tail()->last, Position(2)) << "a slice sees the log as it was when it began";
}

TEST(Log, FollowsTheEndOfAGrowingLog) {
  TempFolder folder;
  TestLog log(folder / "log");
  for (std::uint64_t round = 1; round <= 20; ++round) {
    auto tail = log->tail();
    ASSERT_TRUE(tail);
    ASSERT_TRUE(log.append(numbered_events(round, 1)));
    EXPECT_EQ(read_texts(*log, tail->last.next()),
              texts_of(numbered_events(round, 1), Position(round)));
  }
}

}  // namespace
}  // namespace almanac::test
