// When something is done again and again, as a person writes it:
//
//   every 15 minutes      every 30s, every hour, every 2 days
//   daily at 02:30        in UTC, or in a zone: daily at 02:30 Europe/Paris
//   weekly on sunday at 03:00
//   30 2 * * MON-FRI      a cron expression (cron.h), also with a zone; or @daily and its like
#pragma once

#include <almanac/engine/cron.h>
#include <almanac/engine/time_zone.h>
#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace almanac {

// A value: the same instants for everyone who asks, whenever it was made. Intervals are counted
// from 1970-01-01T00:00:00Z, so that "every 15 minutes" is at the full hour, a quarter past … In a
// zone whose clocks change, a time of day that is skipped stands for the first instant behind the
// gap, and one that comes twice for its first occurrence. Only a cron expression that names every
// hour goes by what the clocks show: nothing is due for what they skip, and what they show twice
// is due twice.
class Recurrence {
 public:
  // Errors: invalid, with the column in bytes, and with examples.
  [[nodiscard]] static Result<Recurrence> parse(std::string_view text);
  // In one spelling for all that mean the same, which parse() reads back.
  [[nodiscard]] std::string text() const;

  // The first of its instants behind `time`. Pure. Costs a microsecond; for what is due once in
  // years, one for every change of the clocks until then.
  [[nodiscard]] Time next_after(Time time) const;

  // Those of its instants from `first`, which is one of them, through `now`, not before `first`.
  // O(1) for an interval, O(months) else.
  struct Elapsed {
    std::uint64_t count = 0;
    Time last;
  };
  [[nodiscard]] Elapsed elapsed(Time first, Time now) const;

  bool operator==(const Recurrence&) const = default;

 private:
  struct Interval {
    Duration length{0};
    bool operator==(const Interval&) const = default;
  };
  struct Calendar {
    Cron cron;
    TimeZone zone;

    [[nodiscard]] LocalTime first_shown(const TimeZone::Period& period) const;
    [[nodiscard]] Time next_after(Time time) const;
    [[nodiscard]] std::uint64_t count(Time after, Time through) const;
    bool operator==(const Calendar&) const = default;
  };
  using Rule = std::variant<Interval, Calendar>;
  class Parser;

  explicit Recurrence(Rule rule) : rule_(std::move(rule)) {}
  [[nodiscard]] static Result<Recurrence> parse_cron(std::string_view text);

  Rule rule_;
};

}  // namespace almanac
