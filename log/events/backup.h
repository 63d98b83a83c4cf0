// The events of the backup domain as C++ sees them: the jobs that an engine does by itself, and how
// each run of them went.
#pragma once

#include <almanac/log/types.h>

#include <cstdint>
#include <string_view>

namespace almanac {

enum class BackupAction : std::uint8_t { snapshot, drill, prune };
inline constexpr int backup_action_count = 3;
[[nodiscard]] std::string_view name(BackupAction action);

// From now on. A job that is scheduled anew, in another way or again, begins anew.
struct BackupScheduled {
  std::string_view job;
  BackupAction action = BackupAction::snapshot;
  std::string_view schedule;    // "every 15 minutes"
  std::string_view repository;  // its folder
  Time next;                    // when it is due
};

// No engine does it any more.
struct BackupUnscheduled {
  std::string_view job;
};

// A run: the job, and the time it was due.
struct BackupStarted {
  std::string_view job;
  Time due;
  Time next;                 // when the job is due again
  std::uint64_t missed = 0;  // times it was due before `due` and was not done
  Time missed_since;         // the first of them
};

// What every end of a run says first.
struct BackupRun {
  std::string_view job;
  Time due;
  Duration took{0};
};

struct SnapshotMade {
  BackupRun run;
  std::uint64_t snapshot = 0;     // its number
  Position through;               // the last in it
  std::uint64_t frame_bytes = 0;  // of the frames that were new, as they stand in the log
  std::uint64_t file_bytes = 0;   // written for them
};

// Nothing has happened since the newest one but backups.
struct SnapshotSkipped {
  BackupRun run;
  std::uint64_t snapshot = 0;  // the newest
};

struct SnapshotsPruned {
  BackupRun run;
  std::uint64_t snapshots = 0;  // that went, and
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

struct DrillPassed {
  BackupRun run;
  std::uint64_t snapshot = 0;
  Position at;                    // what was restored
  std::uint64_t frame_bytes = 0;  // of the log that was made
  std::uint64_t file_bytes = 0;   // read for it
  Duration restore_took{0};       // of `took`, the restore alone
};

// Whatever was to be done.
struct BackupFailed {
  BackupRun run;
  std::string_view code;  // of the error, by name
  std::string_view message;
};

}  // namespace almanac
