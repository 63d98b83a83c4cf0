// The subcommands of `almanac snapshot`, one file each, in the manner of commands.h.
#pragma once

#include <almanac/tools/exit_code.h>
#include <almanac/tools/named_repository.h>
#include <almanac/tools/retention_options.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace almanac {

struct SnapshotCreateCommand {
  std::filesystem::path folder;
  NamedRepository repository;
  std::string tag;         // empty = none
  std::uint64_t jobs = 0;  // 0 = one for each processor
  bool full = false;
  bool json = false;
};
ExitCode snapshot_create(const SnapshotCreateCommand& command);

struct SnapshotFollowCommand {
  std::filesystem::path folder;
  NamedRepository repository;
  std::string every = "1s";
  std::string bytes = "1MiB";
  std::string snapshot_every = "1h";
  bool json = false;
};
// Until it is interrupted; ends as the last try to archive did.
ExitCode snapshot_follow(const SnapshotFollowCommand& command);

struct SnapshotCopyCommand {
  NamedRepository repository;
  std::string to;       // folder, or empty
  std::string command;  // or empty
  std::string record;   // folder; empty = "copied" in the repository
  std::string every;    // empty = once
  bool json = false;
};
ExitCode snapshot_copy(const SnapshotCopyCommand& command);

struct SnapshotListCommand {
  NamedRepository repository;
  bool json = false;
};
ExitCode snapshot_list(const SnapshotListCommand& command);

struct SnapshotShowCommand {
  NamedRepository repository;
  std::uint64_t number = 0;  // 0 = the newest
  bool json = false;
};
ExitCode snapshot_show(const SnapshotShowCommand& command);

struct SnapshotVerifyCommand {
  NamedRepository repository;
  std::uint64_t number = 0;  // 0 = all
  std::uint64_t sample = 100;
  bool json = false;
};
// Ends with corrupt when something is damaged; standard output says what.
ExitCode snapshot_verify(const SnapshotVerifyCommand& command);

struct SnapshotPruneCommand {
  NamedRepository repository;
  RetentionText keep;
  bool tagged = false;  // go as all others do
  bool dry_run = false;
  bool json = false;
};
ExitCode snapshot_prune(const SnapshotPruneCommand& command);

struct SnapshotRestoreCommand {
  NamedRepository repository;
  std::string to;            // folder
  std::uint64_t number = 0;  // 0 = the newest that holds the moment
  std::string at;            // position, time or tag; empty = where the snapshot ends
  std::string before;        // a query; empty = none
  std::string review = "ask";
  std::string user_keys;  // a file of keys that is brought to the new log; empty = none
  bool replace = false;
  bool dry_run = false;
  bool json = false;
};
ExitCode snapshot_restore(const SnapshotRestoreCommand& command);

struct SnapshotDrillCommand {
  NamedRepository repository;
  std::string to;  // the folder to restore in; empty = that of temporary files
  bool json = false;
};
ExitCode snapshot_drill(const SnapshotDrillCommand& command);

// One of the two.
struct SnapshotCreateKeyCommand {
  std::string encryption;  // the file that is made
  std::string signing;
  bool json = false;
};
ExitCode snapshot_create_key(const SnapshotCreateKeyCommand& command);

}  // namespace almanac
