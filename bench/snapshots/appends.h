// Those who append while something else is done.
#pragma once

#include <almanac/log/log.h>

#include <functional>
#include <vector>

namespace almanac::bench {

// One append in flight while `goes_on`: how many microseconds each took.
[[nodiscard]] std::vector<double> append_while(Log& log, const std::function<bool()>& goes_on);
// As many as the log takes, for so long: events a second.
[[nodiscard]] double append_rate(Log& log, double seconds);

}  // namespace almanac::bench
