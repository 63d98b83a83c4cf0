// What a log's time looks like from afar: evenly spaced positions, with their times and what went
// on between them. What a slider over the past is drawn from.
#pragma once

#include <almanac/log/log.h>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>

namespace almanac {

struct TimelineOptions {
  const Log& log;
  Position first;  // that there is
  Position last;   // as is this; before `first`: the log is empty
  std::uint64_t buckets = 100;
  std::uint64_t reads_max = 50'000;  // events that are read for all buckets together
};

// {"first", "last", "first_time", "last_time", "sampled", "buckets": [{"first", "last", "time", and
// what event_counts_json() has}]}. Buckets have as many events each, so that their times tell how
// much went on; what the events of a bucket were is counted, or where that would take more than
// `reads_max` estimated from evenly spaced stretches of it ("sampled"). O(reads_max), however long
// the log is. Errors: those of Log::read.
[[nodiscard]] Result<nlohmann::ordered_json> timeline_json(const TimelineOptions& options);

}  // namespace almanac
