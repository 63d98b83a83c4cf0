// The backups that a run makes by itself, as they are typed.
#pragma once

#include <almanac/engine/backup_spec.h>
#include <almanac/log/error.h>
#include <almanac/snapshots/archive_follower.h>
#include <almanac/tools/command_line.h>
#include <almanac/tools/named_repository.h>
#include <almanac/tools/retention_options.h>

#include <optional>
#include <string>

namespace almanac {

// Schedules; empty = not done.
struct RunBackups {
  NamedRepository repository;
  std::string snapshot;
  std::string drill;
  std::string prune;          // every day when only a rule is given that keeps snapshots
  std::string archive_every;  // a duration; what is new is archived so often, between snapshots too
  RetentionText keep;
};

// --repository with its keys, --snapshot, --drill, --prune and what snapshots are kept by.
void add_backup_options(OptionSet& options, RunBackups& backups);
// Errors: invalid (a schedule that is none; a repository without one, or the other way around), and
// those of read_keys().
[[nodiscard]] Result<BackupOptions> parse_backups(const RunBackups& backups);
// None where it is not asked for. Errors: invalid (no such interval).
[[nodiscard]] Result<std::optional<FollowOptions>> parse_following(const RunBackups& backups);

}  // namespace almanac
