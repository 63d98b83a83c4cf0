// The cases, and what comes out of each.
#pragma once

#include <almanac/bench/projections/subject.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace almanac::bench {

struct Sizes {
  std::uint64_t tasks = 1'000'000;  // live ones, all the time
  std::uint64_t events = 1'500'000;
  int rounds = 3;
  std::vector<std::uint64_t> scale = {10'000, 100'000, 1'000'000, 10'000'000};
};

// What one fold did in all rounds.
struct Folded {
  System system;
  std::vector<double> enqueues_per_second;  // until `tasks` were there
  std::vector<double> events_per_second;    // of the mix after that
};

struct Folds {
  double decoded_per_second = 0;  // the same events read from the map and not folded
  Folded ours;
  Folded publishing;  // every publish_every events
  std::vector<Folded> peers;
};
inline constexpr std::uint64_t publish_every = 64;

// Writes a log, closes it, and folds it from the map with every system in turn; each must end with
// the same fingerprint. `folder` is made.
[[nodiscard]] Folds compare_folds(const Sizes& sizes, const std::filesystem::path& folder);

struct Bytes {
  std::string system;
  double per_task = 0;
};
// Of states that hold `tasks` live tasks: everything, keys, tags and orders. Has to be measured
// first, while no memory lies about.
[[nodiscard]] std::vector<Bytes> compare_memory(const Sizes& sizes);

struct ValueCosts {
  double copy_ns = 0;
  double drop_ns = 0;        // the copy, while the original lives
  double digest_ms = 0;      // of all
  double diff_ms = 0;        // with `changes` tasks leased all over the state
  double diff_close_ms = 0;  // with as many events of the mix between
  std::uint64_t changes = 0;
};
[[nodiscard]] ValueCosts measure_value(const Sizes& sizes);

struct Scaled {
  std::uint64_t tasks = 0;
  double mix_ns = 0;         // per event
  double publishing_ns = 0;  // per event, with a publication every publish_every
};
[[nodiscard]] std::vector<Scaled> measure_scaling(const Sizes& sizes);

}  // namespace almanac::bench
