#include <almanac/tools/units.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

// ---- Durations ---------------------------------------------------------------------------------

TEST(ParseDuration, ReadsNumbersWithUnits) {
  const std::vector<std::pair<std::string, Duration>> cases = {
      {"7us", 7us},
      {"7µs", 7us},
      {"250ms", 250ms},
      {"30s", 30s},
      {"5m", 5min},
      {"1h30m", 90min},
      {"2d", 48h},
      {"1d2h3m4s5ms6us", 26h + 3min + 4s + 5ms + 6us},
      {"1.5s", 1500ms},
      {"0.000001s", 1us},
      {"1.25h", 75min},
      {"0s", 0s},
      {"36500d", duration_max},
  };
  for (const auto& [text, duration] : cases) {
    auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text << ": " << describe(parsed.error());
    EXPECT_EQ(*parsed, duration) << text;
  }
}

TEST(ParseDuration, DropsDigitsBeyondAMicrosecond) {
  EXPECT_EQ(parse_duration("0.0000019s"), Duration(1us));
  EXPECT_EQ(parse_duration("1.999999999999999999999ms"), Duration(1999us));
}

TEST(ParseDuration, AnswersAPlainNumberWithWhatToWrite) {
  for (const std::string text : {"30", "0", "1.5"}) {
    auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid);
    EXPECT_EQ(parsed.error().message, "the duration '" + text + "' has no unit");
    EXPECT_TRUE(parsed.error().next_step.starts_with("write " + text + "s for seconds"));
  }
}

TEST(ParseDuration, RefusesWhatIsNoDuration) {
  for (const std::string text :
       {"",     " ",   "s",     "5 m", "5m ", " 5m",  "5 minutes", "5w",  "1h30",
        "1.s",  ".5s", "1..5s", "+5s", "5S",  "1m1h", "1s1s",      "5s5", "99999999999999999999s",
        "1e3s", "½s",  "5\xC2"}) {
    auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid);
    EXPECT_FALSE(parsed.error().next_step.empty());
  }
}

TEST(ParseDuration, SaysWhyADurationIsRefused) {
  EXPECT_EQ(parse_duration("-5s").error().message,
            "'-5s' is not a duration: it cannot be negative");
  EXPECT_EQ(parse_duration("30m1h").error().message,
            "'30m1h' is not a duration: each unit may stand in it once, the larger one first");
  for (const std::string text : {"36501d", "36500d1us", "999999999999999999d", "9999999999999h"}) {
    EXPECT_EQ(parse_duration(text).error().message,
              "'" + text + "' is not a duration: it is longer than 100 years");
  }
}

RC_GTEST_PROP(FormatDuration, IsReadBackAsTheSame, ()) {
  const Duration duration(*rc::gen::inRange<std::int64_t>(0, duration_max.count() + 1));
  RC_ASSERT(parse_duration(format_duration(duration)).value() == duration);
}

TEST(FormatDuration, LeavesOutUnitsThatAreNotNeeded) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(90min), "1h30m");
  EXPECT_EQ(format_duration(1250ms), "1s250ms");
  EXPECT_EQ(format_duration(-(24h + 1us)), "-1d1us");
}

TEST(FormatCompact, ShowsThreeDigitsAtMostAndCuts) {
  const std::vector<std::pair<Duration, std::string>> cases = {
      {0us, "0s"},           {640us, "640µs"},     {999us, "999µs"},     {1ms, "1ms"},
      {85'999us, "85ms"},    {999'999us, "999ms"}, {1s, "1.00s"},        {1249ms, "1.24s"},
      {9999ms, "9.99s"},     {10s, "10.0s"},       {12'399ms, "12.3s"},  {59'999ms, "59.9s"},
      {1min, "1m00s"},       {185s, "3m05s"},      {1h - 1us, "59m59s"}, {65min, "1h05m"},
      {24h - 1us, "23h59m"}, {51h, "2d03h"},       {-1240ms, "-1.24s"},
  };
  for (const auto& [duration, text] : cases) EXPECT_EQ(format_compact(duration), text);
}

// ---- Times -------------------------------------------------------------------------------------

Time at(std::chrono::year_month_day date, Duration clock) {
  return std::chrono::sys_days(date) + clock;
}
constexpr std::chrono::year_month_day day = std::chrono::year(2026) / 11 / 21;

TEST(ParseTime, ReadsAnyZoneAsUtc) {
  const std::vector<std::pair<std::string, Time>> cases = {
      {"2026-11-21T10:00:00Z", at(day, 10h)},
      {"2026-11-21t10:00:00z", at(day, 10h)},
      {"2026-11-21 10:00:00Z", at(day, 10h)},
      {"2026-11-21T10:00:00-00:00", at(day, 10h)},
      {"2026-11-21T11:30:00+01:30", at(day, 10h)},
      {"2026-11-21T00:00:00-23:59", at(day, 23h + 59min)},
      {"2026-11-22T00:00:00+14:00", at(day, 10h)},
      {"2024-02-29T00:00:00Z", at(std::chrono::year(2024) / 2 / 29, 0s)},
      {"0001-01-01T00:00:00Z", at(std::chrono::year(1) / 1 / 1, 0s)},
      {"9999-12-31T23:59:59.999999Z", at(std::chrono::year(9999) / 12 / 31, 24h - 1us)},
      {"2026-11-21T10:00:00.25Z", at(day, 10h + 250ms)},
      {"2026-11-21T10:00:00.1234567891Z", at(day, 10h + 123'456us)},
  };
  for (const auto& [text, time] : cases) {
    auto parsed = parse_time(text);
    ASSERT_TRUE(parsed) << text << ": " << describe(parsed.error());
    EXPECT_EQ(*parsed, time) << text;
  }
}

TEST(ParseTime, RefusesATimeWithoutZoneAndShowsTheZonesToWrite) {
  for (const std::string text : {"2026-11-21T10:00:00", "2026-11-21 10:00:00.5"}) {
    auto parsed = parse_time(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid);
    EXPECT_EQ(parsed.error().message, "the time '" + text + "' has no zone");
    EXPECT_EQ(parsed.error().next_step, "write " + text +
                                            "Z when it is meant in UTC, else add the zone's "
                                            "offset, such as " +
                                            text + "+01:00");
  }
}

TEST(ParseTime, RefusesWhatIsNoTime) {
  for (const std::string text :
       {"", "now", "2026-11-21", "10:00:00Z", "2026-11-21T10:00Z", "2026-11-21T10:00:00.Z",
        "2026-11-21T10:00:00ZZ", "2026-11-21T10:00:00+1", "2026-11-21T10:00:00+0100",
        "2026/11/21T10:00:00Z", "26-11-21T10:00:00Z", "2026-11-21T1a:00:00Z",
        "+026-11-21T10:00:00Z", " 2026-11-21T10:00:00Z", "2026-11-21T10:00:00 Z"}) {
    auto parsed = parse_time(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message, "'" + text + "' is not a time");
  }
}

TEST(ParseTime, RefusesATimeThatDoesNotExist) {
  for (const std::string text :
       {"2026-02-29T10:00:00Z", "2026-13-01T10:00:00Z", "2026-00-01T10:00:00Z",
        "2026-11-31T10:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T10:60:00Z",
        "2026-11-21T10:00:60Z", "2026-11-21T10:00:00+24:00", "2026-11-21T10:00:00+01:60"}) {
    auto parsed = parse_time(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message, "'" + text + "' is a time that does not exist");
  }
}

RC_GTEST_PROP(FormatTime, IsReadBackAsTheSameAndSortsAsTimeDoes, ()) {
  const auto end = at(std::chrono::year(9999) / 12 / 31, 24h).time_since_epoch().count();
  const auto begin = at(std::chrono::year(0) / 1 / 1, 0s).time_since_epoch().count();
  const Time one(Duration(*rc::gen::inRange(begin, end)));
  const Time other(Duration(*rc::gen::inRange(begin, end)));
  RC_ASSERT(parse_time(format_time(one)).value() == one);
  RC_ASSERT((format_time(one) < format_time(other)) == (one < other));
}

TEST(FormatTime, IsOfOneWidth) {
  EXPECT_EQ(format_time(at(day, 10h)), "2026-11-21T10:00:00.000000Z");
  EXPECT_EQ(format_time(at(day, 1us)), "2026-11-21T00:00:00.000001Z");
  EXPECT_EQ(format_time(Time(Duration(-1))), "1969-12-31T23:59:59.999999Z");
}

// ---- Sizes -------------------------------------------------------------------------------------

TEST(FormatBytes, ShowsOneDecimalAndCuts) {
  const std::vector<std::pair<std::uint64_t, std::string>> cases = {
      {0, "0 B"},
      {1023, "1023 B"},
      {1024, "1.0 KiB"},
      {12'697, "12.3 KiB"},
      {1024 * 1024 - 1, "1023.9 KiB"},
      {1024 * 1024, "1.0 MiB"},
      {std::uint64_t{4} << 30, "4.0 GiB"},
      {std::numeric_limits<std::uint64_t>::max(), "15.9 EiB"},
  };
  for (const auto& [bytes, text] : cases) EXPECT_EQ(format_bytes(bytes), text);
}

}  // namespace
}  // namespace almanac::test
