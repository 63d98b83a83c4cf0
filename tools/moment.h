// A point in time as people give it to a command.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <optional>
#include <string_view>

namespace almanac {

// RFC 3339 as parse_time() takes it; "2026-11-21 10:00:00", "2026-11-21 10:00" or "2026-11-21", in
// UTC as every time that Almanac prints; or how far it is: "2 hours ago", "90m ago",
// "1 day 6 hours ago", "now", "in 2 hours". Errors: invalid.
[[nodiscard]] Result<Time> parse_moment(std::string_view text, Time now);
// Of nothing but digits; one that is too large for a number is the largest there is.
[[nodiscard]] std::optional<Position> parse_position(std::string_view text);

}  // namespace almanac
