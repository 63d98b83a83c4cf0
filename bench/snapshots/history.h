// The log the cases ask about, with its checkpoints and what the answers must be.
#pragma once

#include <almanac/bench/snapshots/cases.h>
#include <almanac/log/log.h>

#include <map>
#include <memory>

namespace almanac::bench {

// Positions all over the log, and the digest of the state at each.
using Answers = std::map<Position, Digest>;

[[nodiscard]] std::unique_ptr<Log> open_log(const std::filesystem::path& folder, Access access);
// Writes the log and its checkpoints, in a process of its own. The last answer is the log's end.
[[nodiscard]] Answers write_history(const Shape& shape, const Sizes& sizes,
                                    const std::filesystem::path& folder);

}  // namespace almanac::bench
