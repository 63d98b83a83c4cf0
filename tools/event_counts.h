// How many events of a stretch of the log began, ended or failed something: counted where that is
// cheap, estimated from a sample where it is not.
#pragma once

#include <almanac/log/log.h>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>

namespace almanac {

struct EventCounts {
  std::uint64_t events = 0;  // exact, as positions have no gaps
  std::uint64_t enqueued = 0;
  std::uint64_t started = 0;  // attempts
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t attempts_failed = 0;  // after which the task is tried again
  std::uint64_t other = 0;
  // Not all were read: what is not `events` is that of the sample, scaled.
  bool is_sampled = false;
};

// Those from `first` to `last`, both with them; of more than `reads_max` events evenly spaced
// stretches are read, so many events together. O(reads_max). Errors: those of Log::read.
struct EventCountOptions {
  const Log& log;
  Position first;
  Position last;
  std::uint64_t reads_max = 8'192;
};
[[nodiscard]] Result<EventCounts> count_events(const EventCountOptions& options);

// {"events", "enqueued", …, "sampled"}
[[nodiscard]] nlohmann::ordered_json event_counts_json(const EventCounts& counts);

}  // namespace almanac
