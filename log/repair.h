// Makes a log of what can be saved of a damaged one, when asked. Nothing is thrown away: the old
// files are moved aside.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <filesystem>
#include <functional>

namespace almanac {

struct RepairOptions {
  bool dry_run = false;  // only find out what would be kept
  // Told how many bytes of how many have been searched.
  std::function<void(std::uint64_t done, std::uint64_t all)> progress = {};
};

struct RepairReport {
  Position first;                 // where what is kept begins: 1, or behind what was trimmed
  bool first_is_guessed = false;  // nothing said so: it is the earliest frame there is
  Position kept;                  // everything from there up to here
  std::uint64_t frames = 0;       // that are kept
  std::uint64_t bytes = 0;        // of them
  Position lost;                  // the last position the log is known to have had
  std::uint64_t readable = 0;     // events behind `kept` that are whole, but not what lies between
  Error damage;                   // what was wrong with the log
  std::filesystem::path aside;    // where the old files are; none in a dry run
};

// Keeps the frames from the log's beginning on, as far as each follows the one before, and what is
// found of them in any file of the log or of its journal. A log that was trimmed says where it
// begins; where that cannot be read and position 1 is not there, it begins with the earliest frame
// that is found. Builds the new log in DIR/log.repairing, verifies it and moves it to
// DIR/log.repaired; then DIR/log becomes DIR/log.damaged-1 (or 2, 3 and so on), with the journal
// in it, and the new one takes its place. Cut short by a crash it can be asked again. A full disk
// leaves all as it was. Holds the write lock; a dry run keeps writers out as well, and changes
// nothing.
// Errors: refused (the log is whole: there is nothing to repair), not_found, conflict,
// newer_format, corrupt (nothing can be saved), io, storage_full.
[[nodiscard]] Result<RepairReport> repair(const std::filesystem::path& folder,
                                          const RepairOptions& options = {});

}  // namespace almanac
