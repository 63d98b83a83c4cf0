// Removing the front of a log. Part of log.h.
#pragma once

#include <almanac/log/types.h>

#include <cstdint>
#include <optional>

namespace almanac {

// What may go; where several are said, all must agree.
struct TrimOptions {
  std::optional<Position> before;           // events in front of this one
  std::optional<Time> older_than;           // events older than this
  std::optional<std::uint64_t> keep_bytes;  // what is in front of the newest so many bytes
};

struct TrimReport {
  Position first;                   // that is left
  std::uint64_t events = 0;         // removed
  std::uint64_t bytes = 0;          // of the frames removed
  std::optional<Position> held_by;  // the checkpoint, when more would have gone without it
};

// On the disk.
struct LogSize {
  std::uint64_t store_bytes = 0;       // the log's file
  std::uint64_t store_free_bytes = 0;  // inside it, used again before it grows
  std::uint64_t map_bytes = 0;         // which it cannot outgrow
  std::uint64_t journal_bytes = 0;
};

}  // namespace almanac
