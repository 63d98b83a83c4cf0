// Recurrences: what can be written, and the instants they stand for, also where clocks are changed.
#include <almanac/engine/recurrence.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tools/units.h>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;

Recurrence recurrence(std::string_view text) {
  auto parsed = Recurrence::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text << ": " << describe(parsed.error());
  return parsed ? *parsed : *Recurrence::parse("every day");
}

Time at(std::string_view text) {
  auto time = parse_time(text);
  EXPECT_TRUE(time.has_value()) << text;
  return time.value_or(Time());
}

std::string shown(Time time) { return format_time(time).substr(0, 16) + "Z"; }

// The instants behind `time`, in UTC.
std::vector<std::string> instants(std::string_view text, std::string_view time, std::size_t count) {
  const Recurrence asked = recurrence(text);
  std::vector<std::string> found;
  for (Time last = at(time); found.size() < count;) {
    last = asked.next_after(last);
    found.push_back(shown(last));
  }
  return found;
}

using Instants = std::vector<std::string>;

TEST(Recurrence, ReadsWhatPeopleWriteAndHasOneSpellingForIt) {
  for (const auto& [text, spelling] : std::vector<std::pair<std::string, std::string>>{
           {"every 15 minutes", "every 15 minutes"},
           {"every 30s", "every 30 seconds"},
           {"every 1 minute", "every minute"},
           {"every hour", "every hour"},
           {"every 120m", "every 2 hours"},
           {"every 90 min", "every 90 minutes"},
           {"every 48 hours", "every 2 days"},
           {"every  7   d ", "every 7 days"},
           {"daily at 02:30", "daily at 02:30"},
           {"daily at 23:59 UTC", "daily at 23:59"},
           {"daily at 02:30 Europe/Paris", "daily at 02:30 Europe/Paris"},
           {"weekly on sunday at 00:05", "weekly on sunday at 00:05"},
           {"weekly on saturday at 03:00 Asia/Kathmandu",
            "weekly on saturday at 03:00 Asia/Kathmandu"},
           {"30 2 * * *", "daily at 02:30"},
           {"0 30 2 ? * 0-7 Europe/Paris", "daily at 02:30 Europe/Paris"},
           {"5 0 * * SUN", "weekly on sunday at 00:05"},
           {"0,15,30,45 9-17 * * MON-FRI UTC", "*/15 9-17 * * 1-5"},
           {"0 9 * * 5 CET", "weekly on friday at 09:00 CET"},
           {"0 0 9 * * fri", "weekly on friday at 09:00"},
           {"@hourly", "0 * * * *"},
           {"@daily Asia/Tokyo", "daily at 00:00 Asia/Tokyo"},
           {"@monthly", "0 0 1 * *"}}) {
    EXPECT_EQ(recurrence(text).text(), spelling) << text;
    EXPECT_EQ(recurrence(spelling), recurrence(text)) << text;
  }
}

TEST(Recurrence, PointsAtWhatCannotBeRead) {
  const std::vector<std::pair<std::string, int>> wrong = {
      {"", 1},
      {"hourly", 1},
      {"30 2 * * MON-FRI Europe/Atlantis", 18},
      {"@fortnightly", 1},
      {"@daily @daily", 8},
      {"every", 6},
      {"every 0 minutes", 7},
      {"every -5 minutes", 7},
      {"every 15", 9},
      {"every 15 fortnights", 10},
      {"every 367 days", 7},
      {"every 4294967295 days", 7},
      {"every 99999999999 days", 7},
      {"every 5 minutes please", 17},
      {"daily 02:30", 7},
      {"daily at", 9},
      {"daily at 2:30", 10},
      {"daily at 24:00", 10},
      {"daily at 02:60", 10},
      {"daily at 02:3x", 10},
      {"daily at 02:30 Europe/Atlantis", 16},
      {"daily at 02:30 ../../etc/passwd", 16},
      {"daily at 02:30 Europe/Paris or so", 29},
      {"weekly at 02:30", 8},
      {"weekly on sundays at 02:30", 11},
      {"weekly on sunday", 17},
  };
  for (const auto& [text, column] : wrong) {
    auto parsed = Recurrence::parse(text);
    ASSERT_EQ(code_of(parsed), "invalid") << text;
    EXPECT_TRUE(parsed.error().message.starts_with("column " + std::to_string(column) + " "))
        << text << ": " << parsed.error().message;
    EXPECT_FALSE(parsed.error().next_step.empty()) << text;
  }
}

TEST(Recurrence, CountsIntervalsFromTheBeginningOf1970) {
  EXPECT_EQ(instants("every 15 minutes", "2026-11-21T10:07:03.000001Z", 3),
            (Instants{"2026-11-21T10:15Z", "2026-11-21T10:30Z", "2026-11-21T10:45Z"}));
  EXPECT_EQ(instants("every hour", "2026-11-21T10:00:00Z", 1), Instants{"2026-11-21T11:00Z"});
  EXPECT_EQ(instants("every 2 days", "2026-11-21T10:00:00Z", 2),
            (Instants{"2026-11-23T00:00Z", "2026-11-25T00:00Z"}));
}

TEST(Recurrence, IsAtItsTimeOfDay) {
  EXPECT_EQ(instants("daily at 02:30", "2026-12-30T02:29:59.999999Z", 3),
            (Instants{"2026-12-30T02:30Z", "2026-12-31T02:30Z", "2027-01-01T02:30Z"}));
  EXPECT_EQ(instants("daily at 02:30", "2026-12-30T02:30:00Z", 1), Instants{"2026-12-31T02:30Z"});
  EXPECT_EQ(instants("weekly on monday at 23:00", "2026-11-21T10:00:00Z", 2),
            (Instants{"2026-11-23T23:00Z", "2026-11-30T23:00Z"}));
  // Monday in Auckland is Sunday in Greenwich.
  EXPECT_EQ(instants("weekly on monday at 09:00 Pacific/Auckland", "2026-11-21T10:00:00Z", 1),
            Instants{"2026-11-22T20:00Z"});
  EXPECT_EQ(instants("daily at 03:00 Asia/Kathmandu", "2026-11-21T10:00:00Z", 1),
            Instants{"2026-11-21T21:15Z"});
}

TEST(Recurrence, IsBehindTheGapWhereClocksSkipItsTime) {
  EXPECT_EQ(instants("daily at 02:30 Europe/Paris", "2026-03-27T12:00:00Z", 3),
            (Instants{"2026-03-28T01:30Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z"}));
  EXPECT_EQ(instants("daily at 02:30 America/New_York", "2026-03-07T12:00:00Z", 2),
            (Instants{"2026-03-08T07:00Z", "2026-03-09T06:30Z"}));
  // Midnight itself is skipped.
  EXPECT_EQ(instants("daily at 00:00 America/Sao_Paulo", "2018-11-03T12:00:00Z", 2),
            (Instants{"2018-11-04T03:00Z", "2018-11-05T02:00Z"}));
  // By half an hour.
  EXPECT_EQ(instants("daily at 02:15 Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2),
            (Instants{"2026-10-03T15:30Z", "2026-10-04T15:15Z"}));
}

TEST(Recurrence, IsOnceWhereClocksShowItsTimeTwice) {
  EXPECT_EQ(instants("daily at 02:30 Europe/Paris", "2026-10-24T12:00:00Z", 2),
            (Instants{"2026-10-25T00:30Z", "2026-10-26T01:30Z"}));
  EXPECT_EQ(instants("daily at 01:30 America/New_York", "2026-10-31T12:00:00Z", 2),
            (Instants{"2026-11-01T05:30Z", "2026-11-02T06:30Z"}));
  EXPECT_EQ(instants("daily at 01:45 Australia/Lord_Howe", "2026-04-03T20:00:00Z", 3),
            (Instants{"2026-04-04T14:45Z", "2026-04-05T15:15Z", "2026-04-06T15:15Z"}));
  // Between the two, the next one is tomorrow's.
  EXPECT_EQ(instants("daily at 02:30 Europe/Paris", "2026-10-25T01:00:00Z", 1),
            Instants{"2026-10-26T01:30Z"});
}

// Samoa went over the date line: the 30th of December was not there.
TEST(Recurrence, IsOnceWhereAWholeDayIsSkipped) {
  EXPECT_EQ(instants("daily at 12:00 Pacific/Apia", "2011-12-29T00:00:00Z", 3),
            (Instants{"2011-12-29T22:00Z", "2011-12-30T10:00Z", "2011-12-30T22:00Z"}));
  EXPECT_EQ(instants("daily at 00:00 Pacific/Apia", "2011-12-29T12:00:00Z", 2),
            (Instants{"2011-12-30T10:00Z", "2011-12-31T10:00Z"}));
}

Recurrence any_recurrence() {
  static const std::vector<std::string> texts = {"every 1s",
                                                 "every 7 minutes",
                                                 "every 15 minutes",
                                                 "every 36 hours",
                                                 "daily at 00:00",
                                                 "daily at 02:30 Europe/Paris",
                                                 "daily at 01:59 America/New_York",
                                                 "daily at 02:00 Australia/Lord_Howe",
                                                 "daily at 00:30 Pacific/Apia",
                                                 "weekly on sunday at 02:30 Europe/London",
                                                 "*/20 * * * * Australia/Lord_Howe",
                                                 "*/7 1-3 * * 0,3 America/New_York",
                                                 "*/30 5 2 29,L * 2#1 Europe/Paris",
                                                 "weekly on friday at 12:00 Pacific/Apia"};
  return recurrence(*rc::gen::elementOf(texts));
}

// Between 1970 and 2036.
Time any_time() {
  return Time(microseconds(*rc::gen::inRange<std::int64_t>(0, 2'080'000'000'000'000)));
}

RC_GTEST_PROP(RecurrenceProperty, TheNextInstantIsTheNextForAllTimesBeforeIt, ()) {
  const Recurrence asked = any_recurrence();
  const Time time = any_time();
  const Time next = asked.next_after(time);
  RC_ASSERT(next > time);
  RC_ASSERT(asked.next_after(next - microseconds(1)) == next);
  const Time between = time + (next - time) / 2;
  RC_ASSERT(asked.next_after(between) == next);
}

RC_GTEST_PROP(RecurrenceProperty, WhatHasElapsedIsEveryInstantOnce, ()) {
  const Recurrence asked = any_recurrence();
  const Time first = asked.next_after(any_time());
  Time last = first;
  std::uint64_t count = 1;
  for (int more = *rc::gen::inRange(0, 40); more > 0; --more, ++count)
    last = asked.next_after(last);
  const Time next = asked.next_after(last);
  for (const Time now : {last, last + (next - last) / 2, next - microseconds(1)}) {
    const auto elapsed = asked.elapsed(first, now);
    RC_ASSERT(elapsed.count == count);
    RC_ASSERT(elapsed.last == last);
  }
}

TEST(TimeZone, KnowsThoseOfTheSystemAlone) {
  EXPECT_EQ(code_of(TimeZone::find("")), "invalid");
  EXPECT_EQ(code_of(TimeZone::find("Mars/Olympus")), "invalid");
  auto paris = TimeZone::find("Europe/Paris");
  ASSERT_TRUE(paris.has_value());
  const auto summer = paris->period(at("2026-07-01T00:00:00Z"));
  EXPECT_EQ(summer.begin, at("2026-03-29T01:00:00Z"));
  EXPECT_EQ(summer.end, at("2026-10-25T01:00:00Z"));
  EXPECT_EQ(summer.offset, hours(2));
  EXPECT_EQ(summer.offset_before, hours(1));
  EXPECT_EQ(paris->period(summer.end).begin, summer.end);
  EXPECT_EQ(TimeZone().period(summer.begin).offset, hours(0));
}

}  // namespace
}  // namespace almanac::test
