// What may go of a log's checkpoints, and of the log below them. Pure; any thread.
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/shared_checkpoint.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace almanac {

struct CheckpointFile {
  Position position;
  std::uint64_t bytes = 0;           // its own
  std::vector<BlocksFile> rests_on;  // which others may, too
};

struct CheckpointBudget {
  Position begin;  // of what the log can tell; a gap reaches from here to the oldest checkpoint
  std::size_t count_max = 0;
  std::uint64_t bytes_max = 0;
};

// Which of the files, the newest first, are too many. The newest two stay whatever they take. Of
// the others the one goes, again and again, that leaves the smallest gap between its neighbours
// beside its own distance from the newest: the recent past stays dense, and the further back, the
// further apart they are. What several rest on counts once, until all of them are gone. O(n²).
[[nodiscard]] std::vector<Position> too_many(std::vector<CheckpointFile> files,
                                             const CheckpointBudget& budget);

struct NeededEvent {
  Position position;  // none when nothing is needed
  TaskId task;        // that needs it
  TaskId of;          // whose request or end it is
};

// The first event that a task still needs from the log: what it is asked to be, or what one that it
// depends on has come to. Failed tasks may be run again and are looked into: they need how they
// ended, too. O(tasks + dependencies).
[[nodiscard]] NeededEvent first_needed(const State& state);

// All of those at `last` or in front of it, each once and in order, and how a failed task ended
// where its request is among them.
[[nodiscard]] std::vector<NeededEvent> needed_through(const State& state, Position last);

}  // namespace almanac
