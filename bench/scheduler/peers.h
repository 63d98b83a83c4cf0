// Job queues from Debian and npm, each as durable as it can be told to be: what is acknowledged is
// on the disk. All do the same: enqueue a job, take it, and mark it done, 100 in flight.
#pragma once

#include <almanac/bench/scheduler/cases.h>

#include <optional>
#include <string>
#include <vector>

namespace almanac::bench {

struct PeerResult {
  std::string name;                  // with its version and settings
  std::optional<double> throughput;  // jobs per second; none where it was left out
  std::string left_out;              // why
};

[[nodiscard]] std::vector<PeerResult> measure_peers(const std::filesystem::path& folder,
                                                    const Sizes& sizes);

}  // namespace almanac::bench
