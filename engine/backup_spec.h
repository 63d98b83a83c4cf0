// Backups that the engine makes by itself, beside its work: what, when and where to.
#pragma once

#include <almanac/engine/recurrence.h>
#include <almanac/log/events/backup.h>
#include <almanac/snapshots/repository.h>
#include <almanac/snapshots/snapshot_retention.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct BackupSpec {
  BackupAction action = BackupAction::snapshot;
  Recurrence recurrence;
  std::string name = {};  // of the job, one of its kind; empty = that of the action
};

[[nodiscard]] inline std::string_view name_of(const BackupSpec& spec) {
  return spec.name.empty() ? name(spec.action) : std::string_view(spec.name);
}

// One job runs at a time, and each time a job is due is done at most once: a run is in the log
// before it begins, and what was due while another one ran, or while no engine did, is done once,
// for the newest of these times; the others are on record as missed. A run that an engine's stop or
// death has cut off is on record as failed and is not done again.
struct BackupOptions {
  // A missing or empty folder becomes one with the first snapshot, and never again once there was
  // one: a disk that is not there is a failure. Locked while a job runs.
  std::filesystem::path repository;
  RepositoryKeys keys;           // to it; a new repository is encrypted where there is such a key
  std::vector<BackupSpec> jobs;  // none: no backups
  RetentionPolicy keep = {.within = keep_within_default};  // what pruning goes by
  // Where drills restore, in a folder that goes again; empty = where temporary files go.
  std::filesystem::path drill_folder;
};

}  // namespace almanac
