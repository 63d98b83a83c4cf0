// When an engine writes checkpoints, and how many it keeps.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace almanac {

// A checkpoint spares the next start the events in front of it, and allows the log to be trimmed.
// One is written as soon as any of these is reached, but not before the writing of the last one was
// less than a tenth of the time since it began.
struct CheckpointPolicy {
  bool write = true;  // false: none is written; a start uses those there are
  std::uint64_t events = 64'000;
  std::chrono::milliseconds period = std::chrono::minutes(5);  // when there was any event
  // At the end of the engine. Fewer are folded by the next start in milliseconds, and not worth a
  // slower stop.
  std::uint64_t events_at_stop = 10'000;
  // Together they take at most a third of the log's bytes, or 8 MiB. The newest two always stay;
  // which others go is said in retention.h.
  std::size_t count_max = 256;
};

}  // namespace almanac
