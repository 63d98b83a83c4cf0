// Appending as the library's users do it: blocking, with tickets, grouped and in coroutines.
#include <almanac/log/log.h>
#include <almanac/log/verify.h>
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/event_text.h>
#include <almanac/tests/support/gate.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

Event note(std::string_view text) {
  return {.at = {}, .body = CustomEvent{"note", as_bytes(text)}};
}

std::unique_ptr<Log> open_log(const std::filesystem::path& folder, LogOptions options = {}) {
  auto log = Log::open(folder, std::move(options));
  EXPECT_TRUE(log) << log.error().message;
  return log ? std::move(*log) : nullptr;
}

TEST(Append, AnswersTheFirstAndTheLastPositionOfWhatIsOnDisk) {
  TempFolder folder;
  auto log = open_log(folder / "log");
  const std::vector<Event> events(3, note("x"));
  auto appended = log->append_and_wait(events);
  ASSERT_TRUE(appended);
  EXPECT_EQ(appended->first, Position(1));
  EXPECT_EQ(appended->last, Position(3));
  EXPECT_TRUE(appended->durable);
  EXPECT_FALSE(appended->repeated);
  EXPECT_EQ(log->tail()->last, Position(3));
  EXPECT_EQ(log->append_and_wait(note("y"))->first, Position(4));
}

TEST(Append, GivesEventsWithoutATimeThatOfTheClockAndNoneAnOlderOneThanTheLast) {
  TempFolder folder;
  Time now(1h);
  auto log = open_log(folder / "log", {.clock = [&] { return now; }});
  auto at_of = [&](const Event& event) {
    auto appended = log->append_and_wait(event);
    EXPECT_TRUE(appended);
    Time at;
    EXPECT_TRUE(log->read_one(appended->first, [&](const Event& stored) { at = stored.at; }));
    return at;
  };
  EXPECT_EQ(at_of(note("now")), Time(1h));
  EXPECT_EQ(at_of({.at = Time(2h)}), Time(2h));
  EXPECT_EQ(at_of({.at = Time(90min)}), Time(2h)) << "the log's end was later";
  now = Time(1min);
  EXPECT_EQ(at_of(note("the clock was set back")), Time(2h));
}

RC_GTEST_PROP(Append, OwnsEverythingThatItsEventsPointAt, ()) {
  std::vector<std::string> expected;
  std::shared_ptr<const EventBatch> owned;
  {
    auto batch = any_batch(5, Time(1h));
    for (const Event& event : batch->events) expected.push_back(event_text(event));
    owned = own_events(batch->events);
  }
  std::vector<std::string> kept;
  for (const Event& event : owned->events) kept.push_back(event_text(event));
  RC_ASSERT(kept == expected);
}

TEST(Append, RefusesWhatCannotBeStoredAndKeepsThePosition) {
  TempFolder folder;
  auto log = open_log(folder / "log");
  EXPECT_EQ(code_of(log->append_and_wait(std::span<const Event>())), "invalid");
  const std::string long_key(limits::key_bytes_max + 1, 'k');
  Event event = note("x");
  event.idempotency_key = long_key;
  EXPECT_EQ(code_of(log->append_and_wait(event)), "invalid");
  event.idempotency_key = {};
  event.stream = long_key;
  EXPECT_EQ(code_of(log->append_and_wait(event)), "invalid");
  const std::string large(limits::event_bytes_max + 1, 'x');
  EXPECT_EQ(code_of(log->append_and_wait(note(large))), "invalid");
  EXPECT_EQ(log->append_and_wait(note("x"))->first, Position(1));
}

TEST(Append, OfALogOpenedForReadingIsRefusedInEveryForm) {
  TempFolder folder;
  { open_log(folder / "log"); }
  auto log = open_log(folder / "log", {.access = Access::read});
  const Event event = note("x");
  const std::vector<Event> events{event};
  EXPECT_EQ(code_of(log->append_and_wait(event)), "refused");
  EXPECT_EQ(code_of(log->append(events)), "refused");
  EXPECT_EQ(code_of(log->append(make_batch({numbered_event(1)}))), "refused");
  auto awaiter = log->append_async(events);
  EXPECT_TRUE(awaiter.await_ready());
  EXPECT_EQ(code_of(awaiter.await_resume()), "refused");
  EXPECT_EQ(code_of(log->wait({})), "refused");
  EXPECT_EQ(code_of(log->set_checkpoint(Position())), "refused");
  EXPECT_EQ(code_of(log->trim({.before = Position(1)})), "refused");
  EXPECT_EQ(code_of(log->version("s")), "refused");
  log->resume();
  log->set_reserve(1);
  EXPECT_TRUE(log->size());
}

TEST(Append, HandsOutTicketsToWaitForInAnyOrder) {
  TempFolder folder;
  auto log = open_log(folder / "log");
  std::vector<AppendTicket> tickets;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    const std::vector<Event> events(2, note("x"));
    auto ticket = log->append(events);
    ASSERT_TRUE(ticket);
    EXPECT_EQ(ticket->appended.first, Position(2 * i - 1));
    tickets.push_back(*ticket);
  }
  EXPECT_TRUE(log->wait(tickets.back()));
  EXPECT_EQ(log->tail()->last, Position(200));
  for (const AppendTicket& ticket : tickets) EXPECT_TRUE(log->wait(ticket));
}

TEST(Append, TakesFromSeveralThreadsEveryEventOnceAndEachThreadsInItsOrder) {
  TempFolder folder;
  auto log = open_log(folder / "log");
  constexpr std::uint64_t threads = 8;
  constexpr std::uint64_t each = 40;
  {
    std::vector<std::jthread> running;
    for (std::uint64_t thread = 1; thread <= threads; ++thread) {
      running.emplace_back([&, thread] {
        for (std::uint64_t i = 1; i <= each; ++i) {
          const Event event{.at = {}, .correlation = Position(thread), .causation = Position(i)};
          ASSERT_TRUE(log->append_and_wait(event));
        }
      });
    }
  }
  std::vector<std::uint64_t> last(threads + 1);
  auto read = log->read(Position(1), [&](const RecordedEvent& recorded) -> Result<bool> {
    auto& before = last.at(recorded.event.correlation.value);
    EXPECT_EQ(recorded.event.causation, Position(before + 1));
    before += 1;
    return true;
  });
  EXPECT_TRUE(read);
  for (std::uint64_t thread = 1; thread <= threads; ++thread) EXPECT_EQ(last[thread], each);
}

TEST(GroupedAppend, IsAcknowledgedAtOnceAndSaysThatItIsNotOnDiskYet) {
  TempFolder folder;
  auto log = open_log(folder / "log", {.grouped_within = 1h});
  auto appended = log->append_and_wait(note("x"), {.durability = Durability::grouped});
  ASSERT_TRUE(appended);
  EXPECT_FALSE(appended->durable);
  EXPECT_EQ(log->tail()->last, Position()) << "nobody reads what is not on disk";
  auto durable = log->append_and_wait(note("y"));
  ASSERT_TRUE(durable);
  EXPECT_TRUE(durable->durable);
  EXPECT_EQ(log->tail()->last, Position(2)) << "what waits goes along with what may not";
}

TEST(GroupedAppend, IsWrittenWithinTheTimeThatWasSaid) {
  TempFolder folder;
  auto log = open_log(folder / "log", {.grouped_within = 30ms});
  const std::vector<Event> events{note("x")};
  const auto began = std::chrono::steady_clock::now();
  auto ticket = log->append(events, {.durability = Durability::grouped});
  ASSERT_TRUE(ticket);
  EXPECT_TRUE(log->wait(*ticket));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 30ms) << "others had time to join it";
  EXPECT_EQ(log->tail()->last, Position(1));
}

TEST(GroupedAppend, IsOnDiskAfterAClose) {
  TempFolder folder;
  {
    auto log = open_log(folder / "log", {.grouped_within = 1h});
    ASSERT_TRUE(log->append_and_wait(note("x"), {.durability = Durability::grouped}));
  }
  EXPECT_EQ(open_log(folder / "log")->opened_tail().last, Position(1));
}

TEST(GroupedAppend, DoesNotLetAFullFrameWait) {
  TempFolder folder;
  auto log = open_log(folder / "log", {.grouped_within = 1h});
  const std::string data(300 * limits::kibibyte, 'x');
  const std::vector<Event> events{note(data)};
  AppendTicket first;
  for (int i = 0; i < 4; ++i) {
    auto ticket = log->append(events, {.durability = Durability::grouped});
    ASSERT_TRUE(ticket);
    if (i == 0) first = *ticket;
  }
  EXPECT_TRUE(log->wait(first)) << "four fill a frame";
}

TEST(FullMemory, AnswersBusyAndTakesMoreOnceSomeIsWritten) {
  TempFolder folder;
  Gate gate;
  auto log = open_log(folder / "log", {.on_commit = [&](const CommitReport&) { gate.pass(); },
                                       .pending_bytes_max = 4'000});
  const std::string data(1'000, 'x');
  const std::vector<Event> events{note(data)};
  auto ticket = log->append(events);
  ASSERT_TRUE(ticket);
  gate.wait_for_arrivals(1);
  std::uint64_t taken = 1;
  while (log->append(events)) ++taken;
  EXPECT_GE(taken, 2U);
  EXPECT_LE(taken, 4U);
  auto refused = log->append(events);
  ASSERT_FALSE(refused);
  EXPECT_EQ(code_of(refused), "busy");
  EXPECT_NE(refused.error().next_step, "");
  gate.open();
  EXPECT_EQ(log->append_and_wait(note("more"))->first, Position(taken + 1));
}

TEST(FullMemory, TakesABatchThatIsLargerWhenNothingElseWaits) {
  TempFolder folder;
  auto log = open_log(folder / "log", {.pending_bytes_max = 1'000});
  const std::string data(10'000, 'x');
  EXPECT_TRUE(log->append_and_wait(note(data)));
  EXPECT_TRUE(log->append_and_wait(note(data)));
}

// Fills little of the memory, so that a large append has to wait, and lets it go on.
TEST(FullMemory, LetsALargeAppendGoOnBehindASmallOne) {
  TempFolder folder;
  Gate gate;
  auto log = open_log(folder / "log", {.on_commit = [&](const CommitReport&) { gate.pass(); },
                                       .pending_bytes_max = 100'000});
  const std::vector<Event> small{note("x")};
  ASSERT_TRUE(log->append(small));
  gate.wait_for_arrivals(1);
  const std::string data(99'900, 'x');
  const std::vector<Event> large{note(data)};
  EXPECT_EQ(code_of(log->append(large)), "busy");
  std::promise<void> begins;
  auto waits = std::async(std::launch::async, [&] {
    begins.set_value();
    return log->append_and_wait(large);
  });
  begins.get_future().wait();
  gate.open();
  auto appended = waits.get();
  ASSERT_TRUE(appended) << appended.error().message;
  EXPECT_EQ(appended->first, Position(2));
}

// The clock goes on while threads wait for room: none of them may come out older than the log.
TEST(FullMemory, LetsThreadsThatWaitAppendWhateverTheOthersDidMeanwhile) {
  TempFolder folder;
  std::atomic<std::int64_t> clock = 1;
  auto log = open_log(folder / "log", {.pending_bytes_max = 1'000,
                                       .clock = [&] { return Time(Duration(clock++)); }});
  const std::string data(700, 'x');
  {
    std::vector<std::jthread> running;
    for (int thread = 0; thread < 8; ++thread) {
      running.emplace_back([&] {
        for (int i = 0; i < 20; ++i) {
          auto appended = log->append_and_wait(note(data));
          ASSERT_TRUE(appended) << appended.error().message;
        }
      });
    }
  }
  EXPECT_EQ(log->tail()->last, Position(160));
  EXPECT_TRUE(verify(*log));
}

// A coroutine that nobody waits for: it tells of its end by what it was given.
struct Started {
  struct promise_type {
    Started get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Started append_events(Log& log, int count, std::promise<Result<Appended>> done) {
  Result<Appended> last;
  for (int i = 0; i < count; ++i) {
    const std::vector<Event> events{note("x")};
    last = co_await log.append_async(events);
  }
  done.set_value(last);
}

TEST(AppendAsync, GoesOnWhenTheEventsAreOnDisk) {
  TempFolder folder;
  auto log = open_log(folder / "log");
  std::vector<std::future<Result<Appended>>> ends;
  for (int i = 0; i < 10; ++i) {
    std::promise<Result<Appended>> done;
    ends.push_back(done.get_future());
    append_events(*log, 5, std::move(done));
  }
  for (auto& end : ends) {
    auto appended = end.get();
    ASSERT_TRUE(appended);
    EXPECT_LE(appended->last, log->tail()->last);
  }
  EXPECT_EQ(log->tail()->last, Position(50));
}

TEST(AppendAsync, GivesAllCoroutinesOfAFrameToTheHookAtOnce) {
  TempFolder folder;
  Gate gate;
  std::mutex mutex;
  std::vector<std::size_t> batches;
  auto log = open_log(folder / "log", {.on_commit = [&](const CommitReport&) { gate.pass(); },
                                       .resume =
                                           [&](std::span<const std::coroutine_handle<>> handles) {
                                             {
                                               std::lock_guard guard(mutex);
                                               batches.push_back(handles.size());
                                             }
                                             for (auto handle : handles) handle.resume();
                                           }});
  std::vector<std::future<Result<Appended>>> ends;
  for (int i = 0; i < 20; ++i) {
    std::promise<Result<Appended>> done;
    ends.push_back(done.get_future());
    append_events(*log, 1, std::move(done));
    if (i == 0) gate.wait_for_arrivals(1);
  }
  gate.open();
  for (auto& end : ends) EXPECT_TRUE(end.get());
  std::lock_guard guard(mutex);
  EXPECT_EQ(batches, (std::vector<std::size_t>{1, 19}));
}

TEST(AppendAsync, DoesNotSuspendForWhatIsGroupedOrRefused) {
  TempFolder folder;
  auto log = open_log(folder / "log", {.grouped_within = 1h});
  const std::vector<Event> events{note("x")};
  auto grouped = log->append_async(events, {.durability = Durability::grouped});
  EXPECT_TRUE(grouped.await_ready());
  EXPECT_FALSE(grouped.await_resume()->durable);
  auto refused = log->append_async({});
  EXPECT_TRUE(refused.await_ready());
  EXPECT_EQ(code_of(refused.await_resume()), "invalid");
}

}  // namespace
}  // namespace almanac::test
