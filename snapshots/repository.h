// The folder of an archive: where its files are, what they are called, and the one place where they
// are written and read whole. README.md has the layout.
#pragma once

#include <almanac/log/write_lock.h>
#include <almanac/snapshots/manifest.h>

#include <array>
#include <compare>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace almanac {

// An error that names the file of an archive, and what to do about a damaged one.
[[nodiscard]] std::unexpected<Error> in_file(const std::filesystem::path& path, Error error);

// The record of these bytes.
[[nodiscard]] FileRecord record_of(Bytes bytes);

// What a file is called: made of numbers, never of text that was read, so that it cannot lead out
// of the repository; and of the beginning of its digest, so that no file is ever replaced by
// another.
struct ArchiveName {
  enum class Kind : std::uint8_t { segment, checkpoint };
  Kind kind = Kind::segment;
  Timeline timeline{};
  Position first;  // of a segment; a checkpoint has its position twice
  Position last;
  std::array<std::byte, 8> digest{};

  auto operator<=>(const ArchiveName&) const = default;
  // Below the repository.
  [[nodiscard]] std::filesystem::path path() const;
};
[[nodiscard]] ArchiveName name_of(const SegmentHeader& segment, const FileRecord& file);
[[nodiscard]] ArchiveName name_of(const Timeline& timeline, const CheckpointRecord& checkpoint);
// All files of a snapshot.
[[nodiscard]] std::vector<ArchiveName> files_of(const Manifest& manifest);

// A file that was read without a manifest.
struct FoundFile {
  FileRecord record;
  std::vector<std::byte> bytes;
};

// One process writes to a repository, any number read. One thread; errors name the file.
class Repository {
 public:
  // For writing, a missing or empty folder becomes a repository, and the lock is held until the
  // object goes. Errors: not_found, conflict (another process writes), refused (the folder holds
  // something else; no permission), corrupt, newer_format, io, storage_full.
  [[nodiscard]] static Result<Repository> open(const std::filesystem::path& folder, Access access);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path path_of(const ArchiveName& name) const {
    return folder_ / name.path();
  }
  // Of a manifest.
  [[nodiscard]] std::filesystem::path path_of(std::uint64_t number) const;

  // --- Manifests.

  // Of those that have a name, damaged or not; the newest first. None where they cannot be listed,
  // which add() and unreferenced() notice.
  [[nodiscard]] std::vector<std::uint64_t> numbers() const;
  // Errors: not_found, corrupt, newer_format, refused, io.
  [[nodiscard]] Result<Manifest> manifest(std::uint64_t number) const;
  // What the next one names as its previous.
  [[nodiscard]] static Digest digest_of(const Manifest& manifest);
  // Once all files of it are there. Replaces none. Errors: conflict (there is one of that number),
  // storage_full, refused, io.
  [[nodiscard]] Result<void> add(const Manifest& manifest);
  [[nodiscard]] Result<void> remove(std::uint64_t number);

  // --- The other files. Whole and synced, or not there. Errors: storage_full, refused, io.

  [[nodiscard]] Result<void> write(const ArchiveName& name, Bytes bytes);
  // Only what was written: its size is looked at before memory is asked for, then its digest.
  // Errors: not_found, corrupt, refused, io.
  [[nodiscard]] Result<std::vector<std::byte>> read(const ArchiveName& name,
                                                    const FileRecord& record) const;
  // Whether there is a file of the size it was written with. Errors: not_found, corrupt.
  [[nodiscard]] Result<void> check_size(const ArchiveName& name, const FileRecord& record) const;
  // One that has the digest its name says. Errors: as read().
  [[nodiscard]] Result<FoundFile> find(const ArchiveName& name) const;
  // Those that have a name of ours.
  [[nodiscard]] std::vector<ArchiveName> files() const;
  // Those of them that no manifest names: what a crash or a removed manifest has left. Errors: of a
  // manifest that cannot be read or listed, since it may name any of them.
  [[nodiscard]] Result<std::vector<ArchiveName>> unreferenced() const;
  [[nodiscard]] Result<void> remove(const ArchiveName& name);
  // What a crash has left without a name of its own.
  void remove_unfinished();

 private:
  Repository(std::filesystem::path folder, std::optional<WriteLock> lock)
      : folder_(std::move(folder)), lock_(std::move(lock)) {}

  std::filesystem::path folder_;
  std::optional<WriteLock> lock_;
};

}  // namespace almanac
