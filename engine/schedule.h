// When something is done again and again, as a person writes it:
//
//   every 15 minutes      every 30s, every hour, every 2 days
//   daily at 02:30        in UTC, or in a zone: daily at 02:30 Europe/Paris
//   weekly on sunday at 03:00
#pragma once

#include <almanac/engine/time_zone.h>
#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace almanac {

// A value: the same instants for everyone who asks, whenever it was made. Intervals are counted
// from 1970-01-01T00:00:00Z, so that "every 15 minutes" is at the full hour, a quarter past … In a
// zone whose clocks change, a time of day that is skipped stands for the first instant behind the
// gap, and one that comes twice for its first occurrence.
class Schedule {
 public:
  // Errors: invalid, with the column in bytes, and with examples.
  [[nodiscard]] static Result<Schedule> parse(std::string_view text);
  // In one spelling for all that mean the same, which parse() reads back.
  [[nodiscard]] std::string text() const;

  // The first of its instants behind `time`. Pure.
  [[nodiscard]] Time next_after(Time time) const;

  // Those of its instants from `first`, which is one of them, through `now`, not before `first`.
  // O(1) for an interval, O(days) else.
  struct Elapsed {
    std::uint64_t count = 0;
    Time last;
  };
  [[nodiscard]] Elapsed elapsed(Time first, Time now) const;

  bool operator==(const Schedule&) const = default;

 private:
  struct Interval {
    Duration length{0};
    bool operator==(const Interval&) const = default;
  };
  struct TimeOfDay {
    std::optional<std::chrono::weekday> weekday;  // none = every day
    std::chrono::minutes at{0};                   // behind midnight
    TimeZone zone;
    bool operator==(const TimeOfDay&) const = default;
  };
  using Rule = std::variant<Interval, TimeOfDay>;
  class Parser;

  explicit Schedule(Rule rule) : rule_(std::move(rule)) {}

  Rule rule_;
};

}  // namespace almanac
