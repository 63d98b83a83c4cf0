// Whether restoring works, and what it takes, found out by doing it.
#pragma once

#include <almanac/log/log.h>
#include <almanac/snapshots/restore.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>

namespace almanac {

struct DrillOptions {
  // Where the log is made, in a folder of its own, which goes again. Takes the room of a restore.
  std::filesystem::path folder;
  std::uint64_t seed = 0;  // draws the moment
  std::function<Time()> clock = system_now;
  // As RestoreOptions has them.
  std::function<void(const RestoreProgress&)> progress = {};
  std::stop_token stop = {};
};

struct DrillReport {
  RestorePlan plan;
  RestoreReport restored;
  Time began;
  Duration took{0};  // the restore alone
};

// Restores a moment of what is archived, folds on from there, and compares the state with that of
// the next snapshot as well, where there is one. Errors: those of restore(), corrupt (the states
// differ).
[[nodiscard]] Result<DrillReport> drill(const Repository& repository, const DrillOptions& options);

}  // namespace almanac
