// A new timeline from a moment of a log: the same past, and a future of its own.
#pragma once

#include <almanac/log/log.h>
#include <almanac/snapshots/branch.h>

#include <cstdint>
#include <filesystem>

namespace almanac {

// What becomes of attempts that were running at that moment. What they do outside must not be done
// twice.
enum class RunningTasks : std::uint8_t {
  cancel,   // their tasks are cancelled
  requeue,  // their tasks run again; those that were told to stop are cancelled all the same
};

struct ForkOptions {
  Position at;  // the last event both have; 0 = none
  RunningTasks running = RunningTasks::cancel;
  Time now;  // of the events that say what became of them
};

struct ForkReport {
  BranchReport branch;
  std::uint64_t cancelled = 0;
  std::uint64_t requeued = 0;
};

// Copies the events of `log`, which was opened in `origin` and may be written meanwhile, into a new
// log in `folder`, which must be missing or empty and appears whole or not at all (log/import.h).
// No engine runs in the new log, and it has the origin's keys of users (user_keys.h). Of a log
// without its front the first checkpoint comes along. Takes as much disk as the events up to there;
// O(their bytes), some 100 MB a second. Any thread. Errors: not_found (the log ends in front of
// it), refused (it was trimmed behind it, or there is no checkpoint to begin at), conflict
// (`folder` is not empty, or the log was trimmed meanwhile), those of reading and of LogImport.
[[nodiscard]] Result<ForkReport> fork_log(const Log& log, const std::filesystem::path& origin,
                                          const std::filesystem::path& folder,
                                          const ForkOptions& options);

}  // namespace almanac
