// Cron expressions: what clocks on a wall show when something is due.
//
//   30 2 * * *            minute hour day month weekday
//   0 30 2 * * MON-FRI    a second in front
//   0 9 L,15W * FRI#2     the last day, the weekday nearest to the 15th, each second friday
#pragma once

#include <almanac/engine/time_zone.h>
#include <almanac/log/error.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace almanac {

// A part of a text, and where it begins there, from 1.
struct CronWord {
  std::string_view text;
  std::size_t column = 1;
};

// A value: sets of numbers, so that what means the same compares equal. A day is due when its day
// of the month and its weekday are; where both fields leave something out, when one of them is.
class Cron {
 public:
  // Five or six fields. Errors: invalid, with the column; also what never comes, as 30 february.
  [[nodiscard]] static Result<Cron> parse(std::span<const CronWord> fields);
  // Each day, or each such day of the week, at a time behind midnight.
  [[nodiscard]] static Cron at(std::chrono::minutes time,
                               std::optional<std::chrono::weekday> weekday);
  // What at() was given; nothing of others.
  struct TimeOfDay {
    std::chrono::minutes at{0};
    std::optional<std::chrono::weekday> weekday;
  };
  [[nodiscard]] std::optional<TimeOfDay> time_of_day() const;
  // In one spelling for all that mean the same, with five fields where five are enough.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] bool names_every_hour() const;
  // The first behind `time`. O(months until then); for what is due often some 50 ns.
  [[nodiscard]] LocalTime next_after(LocalTime time) const;
  // How many there are behind `after` through `through`. O(months between).
  [[nodiscard]] std::uint64_t count(LocalTime after, LocalTime through) const;

  bool operator==(const Cron&) const = default;

 private:
  class Parser;
  using Day = std::chrono::local_days;

  [[nodiscard]] std::optional<Day> next_day(Day day) const;
  [[nodiscard]] bool is_due(Day day) const;
  [[nodiscard]] std::uint32_t days_of(std::chrono::year_month month) const;
  [[nodiscard]] std::uint32_t by_weekday(std::chrono::year_month month) const;
  [[nodiscard]] std::uint32_t by_day(std::chrono::year_month month) const;
  [[nodiscard]] std::optional<std::chrono::seconds> time_from(std::chrono::seconds time) const;
  [[nodiscard]] std::uint64_t times_through(std::chrono::seconds time) const;
  [[nodiscard]] std::uint64_t times() const;

  // Bit n stands for the number n.
  std::uint64_t seconds_ = 0;
  std::uint64_t minutes_ = 0;
  std::uint64_t hours_ = 0;
  std::uint64_t days_ = 0;
  std::uint64_t days_from_end_ = 0;  // 0 = the last one
  std::uint64_t weekdays_near_ = 0;  // the weekday nearest to such a day; 0 = the last in the month
  std::uint64_t months_ = 0;
  std::uint64_t weekdays_ = 0;  // 0 = sunday
  std::array<std::uint64_t, 5> nth_weekdays_{};
  std::uint64_t last_weekdays_ = 0;
};

}  // namespace almanac
