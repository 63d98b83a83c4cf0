// Times as a person reads them, in UTC and always of one width, so that text sorts as time does.
#pragma once

#include <almanac/log/types.h>

#include <string>

namespace almanac {

// "2026-11-21T10:00:00.000000Z"
[[nodiscard]] std::string format_time(Time time);
// "2026-11-21T10:00:00Z"
[[nodiscard]] std::string format_second(Time time);

}  // namespace almanac
