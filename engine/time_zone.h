// Time zones by their IANA names, from the system's zone files: the only door to the date library.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <chrono>
#include <string>
#include <string_view>

namespace almanac {

// What a clock on the wall shows.
using LocalTime = std::chrono::local_time<Duration>;

// A value; any thread. Zone files list the changes of their clocks up to a year, 2037 in Debian's:
// behind it clocks stay as they were.
class TimeZone {
 public:
  TimeZone() = default;  // UTC, which needs no files
  // "Europe/Paris", as it is written in /usr/share/zoneinfo. The first call of a process lists the
  // files there. Errors: invalid (there is none of that name).
  [[nodiscard]] static Result<TimeZone> find(std::string_view name);

  [[nodiscard]] const std::string& name() const { return name_; }  // empty for UTC

  // The time between two changes of the clocks: from `begin` until before `end` they show UTC and
  // `offset`, and until `begin` they showed UTC and `offset_before`. O(log changes).
  struct Period {
    Time begin;
    Time end;
    Duration offset{0};
    Duration offset_before{0};
  };
  // The one `time` is in.
  [[nodiscard]] Period period(Time time) const;

  bool operator==(const TimeZone&) const = default;

 private:
  std::string name_;
};

}  // namespace almanac
