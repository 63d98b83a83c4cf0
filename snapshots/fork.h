// A new timeline from a moment of a log: the same past, and a future of its own.
#pragma once

#include <almanac/log/log.h>
#include <almanac/snapshots/branch.h>

#include <filesystem>

namespace almanac {

struct ForkOptions {
  Position at;  // the last event both have; 0 = none
  RunningTasks running = RunningTasks::cancel;
  Time now;  // of the events that say what became of them
};

// Copies the events of `log`, which was opened in `origin` and may be written meanwhile, into a new
// log in `folder`, which must be missing or empty and appears whole or not at all (log/import.h).
// No engine runs in the new log. Of a log without its front the first checkpoint comes along. Takes
// as much disk as the events up to there; O(their bytes), some 100 MB a second. Any thread.
// Errors: not_found (the log ends in front of it), refused (it was trimmed behind it, or there is
// no checkpoint to begin at), conflict (`folder` is not empty, or the log was trimmed meanwhile),
// those of reading and of LogImport.
[[nodiscard]] Result<BranchReport> fork_log(const Log& log, const std::filesystem::path& origin,
                                            const std::filesystem::path& folder,
                                            const ForkOptions& options);

}  // namespace almanac
