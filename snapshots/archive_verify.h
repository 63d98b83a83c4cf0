// Whether the snapshots of a repository are what was archived: every file, every frame in its
// chain, every state by its digest.
#pragma once

#include <almanac/snapshots/repository.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

namespace almanac {

// One snapshot and what is wrong with it.
struct CheckedSnapshot {
  std::uint64_t number = 0;
  std::optional<Manifest> manifest;  // none when that is what is wrong
  std::vector<Error> damage;         // each names the file

  [[nodiscard]] bool whole() const { return damage.empty(); }
};

// What is archived behind the newest snapshot of a log, and what is wrong with it.
struct CheckedTail {
  Timeline timeline{};
  std::optional<ArchiveTail> tail;  // none when that is what is wrong
  std::vector<Error> damage;        // each names the file

  [[nodiscard]] bool whole() const { return damage.empty(); }
};

// Tails, and the sizes of their files. Of each log that has one which no snapshot has taken over.
[[nodiscard]] std::vector<CheckedTail> list_tails(const Repository& repository);

// Manifests, how they follow each other, and the sizes of the files they name, of which nothing is
// read. The newest first. O(files).
[[nodiscard]] std::vector<CheckedSnapshot> list_snapshots(const Repository& repository);

struct ArchiveVerifyOptions {
  std::optional<std::uint64_t> number;  // only this snapshot, and the tail behind it
  // Of a hundred segments and states so many are read, drawn by `seed`, and the newest always; of
  // the others the size is looked at.
  std::uint64_t percent = 100;
  std::uint64_t seed = 0;
  // Called on the calling thread with every file, and with how many bytes there are to read in all.
  // May be empty.
  std::function<void(std::uint64_t bytes_read, std::uint64_t bytes)> progress = {};
  std::stop_token stop = {};
};

struct ArchiveVerification {
  std::vector<CheckedSnapshot> snapshots;  // the newest first
  std::vector<CheckedTail> tails;          // all of what is there is read, up to damage
  std::uint64_t files = 0;                 // that were read
  std::uint64_t bytes = 0;
  std::uint64_t frames = 0;

  [[nodiscard]] bool whole() const;
};

// A file that several snapshots name is read once. Takes memory for one segment, or one state and
// its base. Errors: not_found (no such snapshot), stopped. Damage is no error but what was found.
[[nodiscard]] Result<ArchiveVerification> verify_archive(const Repository& repository,
                                                         const ArchiveVerifyOptions& options);

}  // namespace almanac
