// What may go of a log's checkpoints, and of the log below them. Pure; any thread.
#pragma once

#include <almanac/projections/state.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace almanac {

struct CheckpointFile {
  Position position;
  std::uint64_t bytes = 0;
};

struct CheckpointBudget {
  Position begin;  // of what the log can tell; a gap reaches from here to the oldest checkpoint
  std::size_t count_max = 0;
  std::uint64_t bytes_max = 0;
};

// Which of the files, the newest first, are too many. The newest two stay whatever they take. Of
// the others the one goes, again and again, that leaves the smallest gap between its neighbours
// beside its own distance from the newest: the recent past stays dense, and the further back, the
// further apart they are. O(n²).
[[nodiscard]] std::vector<Position> too_many(std::vector<CheckpointFile> files,
                                             const CheckpointBudget& budget);

struct NeededEvent {
  Position position;  // none when nothing is needed
  TaskId task;        // that needs it
};

// The first event that a task which has not ended still needs from the log: its payload, or what
// one that it depends on has come to. O(tasks + dependencies).
[[nodiscard]] NeededEvent first_needed(const State& state);

}  // namespace almanac
