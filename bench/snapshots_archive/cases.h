// The cases, and what comes out of each.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace almanac::bench {

struct Sizes {
  std::uint64_t tasks = 1'000'000;      // enqueued first, and live all the time
  std::uint64_t archived = 5'000'000;   // events of the log that is archived
  std::uint64_t restored = 10'000'000;  // of the one that is restored
  int rounds = 3;
};

// What turned the same frames into files, in all rounds.
struct Packed {
  std::string system;
  std::vector<double> seconds;
  std::uint64_t bytes = 0;
  std::vector<double> processor_seconds = {};
};

struct Archiving {
  std::uint64_t frame_bytes = 0;  // in the log
  Packed ours;
  Packed beside_checkpoint;   // ours, of a log with the last checkpoint that an engine had left
  std::vector<Packed> peers;  // of those that are installed
};

// A snapshot of a log that has none, with its state, synced; and what others make of the bytes of
// its frames, which are in the page cache as the log is. Ours is verified, and unpacked again by
// whoever packed it. `folder` is made, with the log in it.
[[nodiscard]] Archiving compare_archiving(const Sizes& sizes, const std::filesystem::path& folder);

struct Incremental {
  std::uint64_t tasks = 0;
  std::uint64_t changed = 0;
  std::uint64_t full_bytes = 0;  // of the snapshot before
  std::uint64_t bytes = 0;       // that were added
  std::vector<double> seconds;
};
// One task in a hundred is leased, all over the state, and archived.
[[nodiscard]] Incremental measure_incremental(const Sizes& sizes,
                                              const std::filesystem::path& folder);

struct Restored {
  std::uint64_t at = 0;
  std::uint64_t folded = 0;  // events
  double seconds = 0;
  double processor_seconds = 0;
};
// Moments drawn by chance, and then the end, folded from the beginning: behind it nothing is left
// to be reviewed. Each is restored with all its proofs. Goes on with the log in `folder`.
[[nodiscard]] std::vector<Restored> measure_restores(const Sizes& sizes,
                                                     const std::filesystem::path& folder);

}  // namespace almanac::bench
