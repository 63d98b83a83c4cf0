// Times as jobs on the wire have them. Any thread.
#pragma once

#include <almanac/log/types.h>

#include <string>

namespace almanac {

// "2026-11-21T10:00:00.25Z": UTC, with as many digits behind the second as there are.
[[nodiscard]] std::string wire_time(Time time);
// The same, in quotes, behind what is there.
void append_wire_time(std::string& json, Time time);

}  // namespace almanac
