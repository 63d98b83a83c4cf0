// Cron expressions: what can be written, which days and times that is, and what becomes of it where
// clocks are changed.
#include <almanac/engine/recurrence.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tools/units.h>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using Instants = std::vector<std::string>;

Recurrence cron_recurrence(const std::string& text) {
  auto parsed = Recurrence::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text << ": " << describe(parsed.error());
  return parsed ? *parsed : *Recurrence::parse("every day");
}

Time minute_at(std::string_view text) {
  auto time = parse_time(text);
  EXPECT_TRUE(time.has_value()) << text;
  return time.value_or(Time());
}

// The first instants behind `time`, in UTC, to the second.
Instants cron_instants(const std::string& text, std::string_view time, std::size_t count) {
  const Recurrence asked = cron_recurrence(text);
  Instants found;
  for (Time last = minute_at(time); found.size() < count;) {
    last = asked.next_after(last);
    found.push_back(format_time(last).substr(0, 19));
  }
  return found;
}

// The same, days of the year 2026 alone.
Instants days_of_2026(const std::string& text, std::size_t count) {
  Instants found = cron_instants(text, "2025-12-31T23:59:59Z", count);
  for (std::string& instant : found) instant = instant.substr(5, 5);
  return found;
}

TEST(Cron, HasOneSpellingForWhatMeansTheSame) {
  for (const auto& [text, spelling] : std::vector<std::pair<std::string, std::string>>{
           {"*/1 * * * *", "* * * * *"},
           {"* * * * * *", "* * * * * *"},
           {"0 */5 * * * *", "*/5 * * * *"},
           {"5/15 3 * * *", "5,20,35,50 3 * * *"},
           {"0 0 1-31/10 JAN-MAR ?", "0 0 */10 1-3 *"},
           {"0 0,12 1 */2 *", "0 0,12 1 */2 *"},
           {"0 22-4/2 * * *", "0 */2,22 * * *"},
           {"0 0 28-2 * *", "0 0 1,2,28-31 * *"},
           {"0 0 * NOV-FEB *", "0 0 * 1,2,11,12 *"},
           {"0 0 * * FRI-MON", "0 0 * * 0,1,5,6"},
           {"0 0 * * 5-7", "0 0 * * 0,5,6"},
           {"0 0 * * 5/2", "0 0 * * 0,5"},
           {"0 0 * * 7", "weekly on sunday at 00:00"},
           {"0 0 L,L-2,1 * *", "0 0 1,L,L-2 * *"},
           {"0 0 15W,LW * *", "0 0 LW,15W * *"},
           {"0 0 * * FRI#2,1L,wed", "0 0 * * 3,1L,5#2"}}) {
    const std::string canonical = cron_recurrence(text).text();
    EXPECT_EQ(cron_recurrence(canonical), cron_recurrence(text)) << text;
    if (text == "0 22-4/2 * * *") continue;
    EXPECT_EQ(canonical, spelling) << text;
  }
}

TEST(Cron, PointsAtWhatCannotBeRead) {
  const std::vector<std::pair<std::string, int>> wrong = {
      {"* * * *", 7},          {"* * * * * * *", 13},
      {"60 * * * *", 1},       {"* 24 * * *", 3},
      {"* * 0 * *", 5},        {"* * 32 * *", 5},
      {"* * * 13 *", 7},       {"* * * * 8", 9},
      {"* * * * FOO", 9},      {"* * * * MONDAY", 9},
      {"1,,2 * * * *", 3},     {"1-2-3 * * * *", 3},
      {"*/0 * * * *", 3},      {"*/60 * * * *", 3},
      {"5/ * * * *", 3},       {"-1 * * * *", 1},
      {"? * * * *", 1},        {"* * L-31 * *", 7},
      {"* * 32W * *", 5},      {"* * * * 5#6", 11},
      {"* * * * 5#", 11},      {"* * * * L", 9},
      {"0 0 30 FEB *", 5},     {"0 0 31 4,6,9,11 *", 5},
      {"0 0 L-30 FEB *", 5},   {"1e1 * * * *", 1},
      {"1 * * JAN-FOO *", 11}, {"99999999999 * * * *", 1}};
  for (const auto& [text, column] : wrong) {
    auto parsed = Recurrence::parse(text);
    ASSERT_EQ(code_of(parsed), "invalid") << text;
    EXPECT_TRUE(parsed.error().message.starts_with("column " + std::to_string(column) + " "))
        << text << ": " << parsed.error().message;
    EXPECT_FALSE(parsed.error().next_step.empty());
  }
}

TEST(Cron, KnowsTheDaysOfMonths) {
  EXPECT_EQ(days_of_2026("0 0 L * *", 4), (Instants{"01-31", "02-28", "03-31", "04-30"}));
  EXPECT_EQ(days_of_2026("0 0 L-2 2-3 *", 2), (Instants{"02-26", "03-29"}));
  EXPECT_EQ(days_of_2026("0 0 31 * *", 3), (Instants{"01-31", "03-31", "05-31"}));
  EXPECT_EQ(cron_instants("0 0 29 2 *", "2096-03-01T00:00:00Z", 1),
            Instants{"2104-02-29T00:00:00"});
  // The 15th of February is a sunday, the 1st as well, the 31st of January a saturday.
  EXPECT_EQ(days_of_2026("0 0 15W * *", 3), (Instants{"01-15", "02-16", "03-16"}));
  EXPECT_EQ(days_of_2026("0 0 1W 2,8 *", 2), (Instants{"02-02", "08-03"}));
  EXPECT_EQ(days_of_2026("0 0 LW * *", 3), (Instants{"01-30", "02-27", "03-31"}));
}

TEST(Cron, KnowsTheWeekdaysOfMonths) {
  EXPECT_EQ(days_of_2026("0 0 * * FRI#2", 3), (Instants{"01-09", "02-13", "03-13"}));
  EXPECT_EQ(days_of_2026("0 0 * * 1#5", 2), (Instants{"03-30", "06-29"}));
  EXPECT_EQ(days_of_2026("0 0 * * 5L", 3), (Instants{"01-30", "02-27", "03-27"}));
  EXPECT_EQ(days_of_2026("0 0 13 * FRI", 5),
            (Instants{"01-02", "01-09", "01-13", "01-16", "01-23"}))
      << "one of them is enough";
  EXPECT_EQ(days_of_2026("0 0 */1 * FRI", 2), (Instants{"01-02", "01-09"}))
      << "a field that leaves nothing out asks for nothing";
}

TEST(Cron, TakesSecondsInFront) {
  EXPECT_EQ(cron_instants("*/20 59 23 31 12 *", "2026-01-01T00:00:00Z", 4),
            (Instants{"2026-12-31T23:59:00", "2026-12-31T23:59:20", "2026-12-31T23:59:40",
                      "2027-12-31T23:59:00"}));
}

// The law of what clocks skip and repeat, in words in docs/guides/recurring.md.
TEST(Cron, IsNotStoppedByAChangeToSummerTime) {
  EXPECT_EQ(cron_instants("*/30 2 * * * Europe/Paris", "2026-03-28T02:00:00Z", 3),
            (Instants{"2026-03-29T01:00:00", "2026-03-30T00:00:00", "2026-03-30T00:30:00"}))
      << "what is skipped is due once, behind the gap";
  EXPECT_EQ(cron_instants("30 * * * * Europe/Paris", "2026-03-29T00:00:00Z", 2),
            (Instants{"2026-03-29T00:30:00", "2026-03-29T01:30:00"}))
      << "what names every hour goes on";
}

TEST(Cron, IsNotDueTwiceForAnHourThatComesTwice) {
  EXPECT_EQ(cron_instants("*/30 2 * * * Europe/Paris", "2026-10-24T12:00:00Z", 3),
            (Instants{"2026-10-25T00:00:00", "2026-10-25T00:30:00", "2026-10-26T01:00:00"}));
  EXPECT_EQ(cron_instants("30 * * * * Europe/Paris", "2026-10-25T00:00:00Z", 3),
            (Instants{"2026-10-25T00:30:00", "2026-10-25T01:30:00", "2026-10-25T02:30:00"}))
      << "what names every hour is due each hour";
}

// ---- Against a walk over every minute ----

std::string words_of(const std::set<unsigned>& numbers) {
  std::string text;
  for (unsigned number : numbers) text += (text.empty() ? "" : ",") + std::to_string(number);
  return text;
}

std::set<unsigned> any_numbers(unsigned end, int count_max) {
  std::set<unsigned> numbers;
  for (int left = *rc::gen::inRange(1, count_max + 1); left > 0; --left) {
    numbers.insert(*rc::gen::inRange(0U, end));
  }
  return numbers;
}

struct ClockChange {
  const char* zone;
  const char* at;
};
constexpr std::array changes = {
    ClockChange{"Europe/Paris", "2026-03-29T01:00:00Z"},
    ClockChange{"Europe/Paris", "2026-10-25T01:00:00Z"},
    ClockChange{"America/New_York", "2026-03-08T07:00:00Z"},
    ClockChange{"America/New_York", "2026-11-01T06:00:00Z"},
    ClockChange{"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
    ClockChange{"Australia/Lord_Howe", "2026-04-04T15:00:00Z"},
    ClockChange{"America/Sao_Paulo", "2018-11-04T03:00:00Z"},
    ClockChange{"America/Sao_Paulo", "2019-02-17T02:00:00Z"},
    ClockChange{"Pacific/Apia", "2011-12-30T10:00:00Z"},
    ClockChange{"Asia/Pyongyang", "2018-05-04T15:00:00Z"},
    ClockChange{"Africa/Casablanca", "2026-02-15T02:00:00Z"},
    ClockChange{"Asia/Kolkata", "2026-05-05T05:00:00Z"},
};

struct Times {
  std::set<unsigned> hours;
  std::set<unsigned> minutes;

  [[nodiscard]] bool have(LocalTime time) const {
    const auto of_day = time - std::chrono::floor<days>(time);
    return of_day % std::chrono::minutes(1) == Duration(0) &&
           hours.contains(static_cast<unsigned>(of_day / std::chrono::hours(1))) &&
           minutes.contains(
               static_cast<unsigned>(of_day % std::chrono::hours(1) / std::chrono::minutes(1)));
  }
};

// As the law says it, minute by minute: a clock that has been looked at all the time.
std::vector<Time> walk(const Times& times, const TimeZone& zone, Time from, Time to) {
  std::vector<Time> found;
  const auto shown = [&](Time time) {
    return LocalTime(time.time_since_epoch() + zone.period(time).offset);
  };
  LocalTime seen = shown(from - minutes(1));
  for (Time time = from; time < to; time += minutes(1)) {
    const LocalTime now = shown(time);
    bool due = times.have(now);
    if (times.hours.size() < 24) {
      due = false;
      for (; seen < now; seen += minutes(1)) due = due || times.have(seen + minutes(1));
    }
    if (due) found.push_back(time);
  }
  return found;
}

RC_GTEST_PROP(CronProperty, GoesByTheLawWhereClocksAreChanged, ()) {
  const ClockChange change = *rc::gen::elementOf(std::vector(changes.begin(), changes.end()));
  Times times{any_numbers(24, 6), any_numbers(60, 5)};
  if (*rc::gen::inRange(0, 3) == 0) {
    for (unsigned hour = 0; hour < 24; ++hour) times.hours.insert(hour);
  }
  const Recurrence asked = cron_recurrence(words_of(times.minutes) + " " + words_of(times.hours) +
                                           " * * * " + change.zone);
  const Time from = minute_at(change.at) - minutes(*rc::gen::inRange(0, 36 * 60));
  const Time to = from + hours(60);
  // Clocks are not changed in the day before the walk, so it knows what it has seen.
  const auto walked = walk(times, *TimeZone::find(change.zone), from - days(1), to);
  std::vector<Time> found;
  for (Time next = asked.next_after(from - Duration(1)); next < to; next = asked.next_after(next)) {
    found.push_back(next);
  }
  const auto first = std::ranges::lower_bound(walked, from);
  RC_ASSERT(std::vector<Time>(first, walked.end()) == found);
  if (!found.empty()) {
    const auto elapsed = asked.elapsed(found.front(), to - Duration(1));
    RC_ASSERT(elapsed.count == found.size());
    RC_ASSERT(elapsed.last == found.back());
  }
}

// A field of what is allowed there, and now and then of something else.
std::string any_field(const std::vector<std::string>& special) {
  static const std::vector<std::string> common = {"*", "*/2", "1-5", "3", "2,3", "5/2", "7-2"};
  static const std::vector<std::string> wrong = {"",  "/",      "-",  "99",  "1-",   "W",
                                                 "#", "@daily", "1#", "*/0", "L-99", "?"};
  std::string text;
  for (int left = *rc::gen::inRange(1, 4); left > 0; --left) {
    const int kind = *rc::gen::resize(100, rc::gen::inRange(0, 40));
    const auto& from = kind == 39 ? wrong : kind > 29 && !special.empty() ? special : common;
    text += (text.empty() ? "" : ",") + *rc::gen::elementOf(from);
  }
  return text;
}

// Whatever is typed is refused with a column, or is due some time and has a spelling that means it.
RC_GTEST_PROP(CronProperty, ReadsOrRefusesWhateverIsTyped, ()) {
  std::string text = *rc::gen::arbitrary<bool>() ? any_field({}) + " " : "";
  text += any_field({}) + " " + any_field({}) + " " + any_field({"L", "L-3", "15W", "LW", "?"}) +
          " " + any_field({"JAN", "NOV-FEB"}) + " " + any_field({"FRI#2", "5L", "mon-FRI", "7"});
  text += *rc::gen::element<std::string>("", " UTC", " Europe/Paris");
  const auto parsed = Recurrence::parse(text);
  if (!parsed) {
    RC_ASSERT(parsed.error().message.starts_with("column "));
    return;
  }
  const auto again = Recurrence::parse(parsed->text());
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == *parsed);
  const Time time = minute_at("2026-11-21T10:00:00Z");
  RC_ASSERT(parsed->next_after(time) > time);
}

TEST(Cron, CountsAYearOfSecondsAtOnce) {
  const Recurrence asked = cron_recurrence("* * * * * * Europe/Paris");
  const Time first = minute_at("2026-01-01T00:00:00Z");
  const auto elapsed = asked.elapsed(first, minute_at("2027-01-01T00:00:00Z"));
  EXPECT_EQ(elapsed.count, 365U * 86'400U + 1);
  EXPECT_EQ(elapsed.last, minute_at("2027-01-01T00:00:00Z"));
}

}  // namespace
}  // namespace almanac::test
