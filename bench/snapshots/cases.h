// The cases, and what comes out of each.
#pragma once

#include <almanac/snapshots/checkpoint_policy.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace almanac::bench {

struct Sizes {
  std::uint64_t events = 10'000'000;
  std::uint64_t checkpoint_every = CheckpointPolicy().events;
  std::uint64_t backlog = 1'000'000;  // live tasks of the shape that has many
  std::size_t questions = 40;         // cold ones; five times as many warm ones
  double append_seconds = 2;          // of a round, with and without a checkpoint
  int rounds = 3;
};

// A log of the mix of bench/projections, behind so many tasks that are enqueued first. Live tasks
// stay as many; the others have ended and are kept, a third of the events.
struct Shape {
  std::string name;
  std::uint64_t live = 0;
};

struct Measured {
  Shape shape;
  std::uint64_t tasks = 0;                // in the last state
  std::vector<double> cold_ms;            // state_at(), each in a new process
  std::vector<double> cold_processor_ms;  // of the same, both of its threads
  std::vector<double> warm_ms;            // PastStates::at() that was asked before
  std::vector<double> warm_processor_ms;
  std::uint64_t warm_states = 0;           // kept
  double warm_bytes = 0;                   // all nodes of the process
  double fold_seconds = 0;                 // the last state from the first event
  std::vector<double> start_seconds;       // open the log and load the last state
  std::vector<double> unload_ms;           // the last state
  std::vector<double> checkpoint_seconds;  // written beside appends
  double checkpoint_bytes = 0;
  std::uint64_t checkpoints = 0;  // that an engine keeps of such a log
  double checkpoints_bytes = 0;   // all of them
  double log_bytes = 0;
  double append_p99_us = 0;
  double append_beside_p99_us = 0;
  double append_unfollowed_p99_us = 0;  // in the rounds of those beside archiving
  double append_followed_p99_us = 0;
  std::vector<double> append_rates;  // events a second, with as many as the log takes
  std::vector<double> append_followed_rates;
};

// `folder` is made, and holds the log.
[[nodiscard]] Measured measure(const Shape& shape, const Sizes& sizes,
                               const std::filesystem::path& folder);

// The smallest value that so many of a hundred do not exceed.
[[nodiscard]] double percentile(std::vector<double> values, double percent);

}  // namespace almanac::bench
