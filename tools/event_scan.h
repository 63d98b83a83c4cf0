// The events of a log that match a filter, in order or newest first. Positions are ordered by time,
// so that a time is found by halving and not by reading all that lies before it.
#pragma once

#include <almanac/log/log.h>
#include <almanac/tools/event_filter.h>

#include <cstdint>

namespace almanac {

struct ScanOptions {
  std::uint64_t limit = 0;  // 0 = all
  bool reverse = false;     // newest first
};

// Gives them to `visit` until it answers false. Newest first takes the log frame by frame from its
// end, so that neither direction holds more than one. Errors: those of Log::read, and what `visit`
// returns. What was whole in front of damage has been visited.
[[nodiscard]] Result<void> scan_events(const Log& log, const EventFilter& filter,
                                       const ScanOptions& options, const Log::Visit& visit);

}  // namespace almanac
