// The subcommands of `almanac snapshot`, one file each, in the manner of commands.h.
#pragma once

#include <almanac/tools/exit_code.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace almanac {

struct SnapshotCreateCommand {
  std::filesystem::path folder;
  std::string repository;
  std::uint64_t jobs = 0;  // 0 = one for each processor
  bool full = false;
  bool json = false;
};
ExitCode snapshot_create(const SnapshotCreateCommand& command);

struct SnapshotListCommand {
  std::string repository;
  bool json = false;
};
ExitCode snapshot_list(const SnapshotListCommand& command);

struct SnapshotShowCommand {
  std::string repository;
  std::uint64_t number = 0;  // 0 = the newest
  bool json = false;
};
ExitCode snapshot_show(const SnapshotShowCommand& command);

struct SnapshotVerifyCommand {
  std::string repository;
  std::uint64_t number = 0;  // 0 = all
  std::uint64_t sample = 100;
  bool json = false;
};
// Ends with corrupt when something is damaged; standard output says what.
ExitCode snapshot_verify(const SnapshotVerifyCommand& command);

}  // namespace almanac
