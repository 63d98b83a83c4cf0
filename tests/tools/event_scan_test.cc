// Which events a filter lets through, and that every way through a log gives the same ones.
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/log_commands.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <almanac/tools/event_fields.h>
#include <almanac/tools/event_scan.h>
#include <almanac/tools/moment.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

std::vector<std::uint64_t> scanned(const Log& log, const EventFilter& filter,
                                   const ScanOptions& options) {
  std::vector<std::uint64_t> found;
  auto scanned = scan_events(log, filter, options, [&](const RecordedEvent& event) -> Result<bool> {
    found.push_back(event.position.value);
    return true;
  });
  EXPECT_TRUE(scanned);
  return found;
}

// 120 events in 40 frames, a few at one time each.
class ScannedLog {
 public:
  ScannedLog() : log_(folder_ / "log") {
    for (std::uint64_t i = 0; i < 40; ++i) {
      std::vector<Event> events;
      for (std::uint64_t j = 0; j < 1 + i % 5; ++j) {
        auto number = times_.size();
        times_.push_back(Time(Duration(100 + number / 4 * 10)));
        events.push_back({.at = times_.back(),
                          .stream = streams_[number % 3],
                          .correlation = Position(number % 7),
                          .body = number % 2 == 0 ? EventBody(EngineStopped{})
                                                  : EventBody(CustomEvent{"paid", {}})});
      }
      frames_.push_back(events);
      EXPECT_TRUE(log_.append(events));
    }
  }
  // What the filter lets through, found by looking at each.
  std::vector<std::uint64_t> expected(const EventFilter& filter, const ScanOptions& options) {
    std::vector<std::uint64_t> found;
    Position position(1);
    for (const auto& frame : frames_) {
      for (const Event& event : frame) {
        if (filter.matches({position, event})) found.push_back(position.value);
        position = position.next();
      }
    }
    if (options.reverse) std::ranges::reverse(found);
    if (options.limit > 0 && found.size() > options.limit) found.resize(options.limit);
    return found;
  }
  Log& log() { return *log_; }
  [[nodiscard]] std::size_t size() const { return times_.size(); }

 private:
  static constexpr std::array<std::string_view, 3> streams_ = {"", "a", "b"};
  TempFolder folder_;
  TestLog log_;
  std::vector<Time> times_;
  std::vector<std::vector<Event>> frames_;
};

RC_GTEST_PROP(EventScan, GivesWhatLookingAtEachEventGives, ()) {
  static ScannedLog log;
  // Sizes grow with the runs; each of these is from its whole range. Times are those of events, or
  // just beside them.
  auto any = [](int min, int max) { return *rc::gen::resize(100, rc::gen::inRange(min, max)); };
  auto position = [&] { return Position(static_cast<std::uint64_t>(any(0, 125))); };
  auto time = [&] { return Time(Duration(any(8, 43) * 10 + any(-1, 2))); };
  EventFilter filter;
  if (*rc::gen::arbitrary<bool>()) filter.from = position();
  if (*rc::gen::arbitrary<bool>()) filter.to = position();
  if (*rc::gen::arbitrary<bool>()) filter.since = time();
  if (*rc::gen::arbitrary<bool>()) filter.until = time();
  if (*rc::gen::inRange(0, 3) == 0) filter.stream = *rc::gen::element<std::string>("", "a", "c");
  if (*rc::gen::inRange(0, 3) == 0)
    filter.types = {*rc::gen::element<std::string>("custom", "paid", "EngineStopped")};
  if (*rc::gen::inRange(0, 3) == 0) filter.correlation = Position(*rc::gen::inRange(1, 9));
  ScanOptions options{.limit = *rc::gen::inRange<std::uint64_t>(0, 9),
                      .reverse = *rc::gen::arbitrary<bool>()};
  RC_ASSERT(scanned(log.log(), filter, options) == log.expected(filter, options));
}

TEST(EventScan, GivesNothingOfAnEmptyLog) {
  TempFolder folder;
  TestLog log(folder / "log");
  for (bool reverse : {false, true}) {
    EXPECT_TRUE(scanned(*log, {}, {.reverse = reverse}).empty());
    EXPECT_TRUE(scanned(*log, {.since = Time(Duration(1))}, {.reverse = reverse}).empty());
  }
}

TEST(EventScan, EndsWhenItIsToldTo) {
  ScannedLog log;
  for (bool reverse : {false, true}) {
    std::size_t count = 0;
    auto scanned = scan_events(log.log(), {}, {.reverse = reverse},
                               [&](const RecordedEvent&) -> Result<bool> { return ++count < 50; });
    EXPECT_TRUE(scanned);
    EXPECT_EQ(count, 50U);
    auto failed = scan_events(
        log.log(), {}, {.reverse = reverse},
        [&](const RecordedEvent&) -> Result<bool> { return fail(ErrorCode::io, "no more"); });
    EXPECT_FALSE(failed);
  }
}

TEST(EventScan, FindsTheFirstOfSeveralEventsAtOneTime) {
  ScannedLog log;
  EXPECT_EQ(log.log().position_at(Time(Duration(0))), Position(1));
  EXPECT_EQ(log.log().position_at(Time(Duration(110))), Position(5));
  EXPECT_EQ(log.log().position_at(Time(Duration(111))), Position(9));
  EXPECT_EQ(log.log().position_at(Time(Duration(9'999))), Position(log.size() + 1));
}

TEST(EventFilter, IsOpenOnlyWhenNothingIsAskedFor) {
  auto now = sample_time(0);
  EXPECT_TRUE(make_filter({}, now)->is_open());
  for (const FilterOptions& options :
       {FilterOptions{.stream = "a"}, FilterOptions{.types = {"custom"}},
        FilterOptions{.since = "now"}, FilterOptions{.until = "now"}, FilterOptions{.from = 2},
        FilterOptions{.to = 2}, FilterOptions{.correlation = 1}}) {
    EXPECT_FALSE(make_filter(options, now)->is_open());
  }
}

TEST(EventFilter, KnowsTypesByNumberAndCustomOnesByName) {
  const EventTypes types{"TaskFailed", "invoice.paid"};
  EXPECT_TRUE(types.has(TaskFailed{}));
  EXPECT_FALSE(types.has(TaskCancelled{}));
  EXPECT_TRUE(types.has(CustomEvent{.type = "invoice.paid"}));
  EXPECT_FALSE(types.has(CustomEvent{.type = "invoice.sent"}));
  EXPECT_TRUE(EventTypes{"custom"}.has(CustomEvent{.type = "invoice.sent"}));
  EXPECT_FALSE(EventTypes{"TaskFailed"}.has(CustomEvent{.type = "TaskCancelled"}));
  for (const EventBody& body : empty_bodies()) {
    EXPECT_TRUE(EventTypes{std::string(type_name(body))}.has(body));
  }
}

TEST(EventFilter, NamesTheTypeThatWasMeant) {
  EXPECT_EQ(type_hint({.types = {"custom", "TaskFaild"}}),
            "no event is of type 'TaskFaild'; did you mean 'TaskFailed'?");
  EXPECT_EQ(type_hint({.types = {"TaskFailed", "invoice.paid"}}), "");
}

TEST(Moment, IsATimeOrHowLongAgoItWas) {
  auto now = sample_time(0);
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_moment("now", now), now);
  EXPECT_EQ(parse_moment("2026-11-21T11:30:00+01:00", now), now + 30min);
  EXPECT_EQ(parse_moment("2026-11-21T10:30:00.5", now), now + 30min + 500ms);
  EXPECT_EQ(parse_moment("2026-11-21 10:30", now), now + 30min);
  EXPECT_EQ(parse_moment("2026-11-21", now), now - 10h);
  EXPECT_EQ(parse_moment("2 hours ago", now), now - 2h);
  EXPECT_EQ(parse_moment("90m ago", now), now - 90min);
  EXPECT_EQ(parse_moment("1 day 6 hours ago", now), now - 30h);
  EXPECT_EQ(parse_moment("1.5 minutes ago", now), now - 90s);
}

TEST(Moment, RefusesWhatCouldMeanSomethingElse) {
  auto now = sample_time(0);
  for (auto text :
       {"", "ago", " ago", "yesterday", "2 hours", "2 fortnights ago", "5 ago", "-2h ago",
        "2026-11", "2026-11-31", "2026-11-21 10", "10:30", "2026-11-21T24:01"}) {
    auto moment = parse_moment(text, now);
    ASSERT_FALSE(moment) << text;
    EXPECT_EQ(moment.error().code, ErrorCode::invalid);
    EXPECT_FALSE(moment.error().next_step.empty()) << text;
  }
  EXPECT_EQ(parse_moment("2 hours", now).error().next_step,
            "write \"2 hours ago\" for a time that long before now");
}

}  // namespace
}  // namespace almanac::test
