// A point in time as people give it to a command.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <string_view>

namespace almanac {

// RFC 3339 with its zone, as parse_time() takes it, or how long ago it was: "2 hours ago",
// "90m ago", "1 day 6 hours ago", "now". Errors: invalid.
[[nodiscard]] Result<Time> parse_moment(std::string_view text, Time now);

}  // namespace almanac
