// The folder of an archive: where its files are, what they are called, and the one place where they
// are written and read whole. README.md has the layout.
#pragma once

#include <almanac/log/write_lock.h>
#include <almanac/snapshots/archive_tail.h>
#include <almanac/snapshots/manifest.h>
#include <almanac/snapshots/repository_head.h>
#include <almanac/snapshots/sealed_text.h>

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <tuple>
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
// A file as manifests and tails know it.
struct NamedFile {
  ArchiveName name;
  FileRecord record;

  auto operator<=>(const NamedFile& other) const {
    return std::tie(name, record.bytes, record.digest) <=>
           std::tie(other.name, other.record.bytes, other.record.digest);
  }
  bool operator==(const NamedFile&) const = default;
};
// All files of a snapshot.
[[nodiscard]] std::vector<NamedFile> named_files(const Manifest& manifest);
[[nodiscard]] std::vector<NamedFile> named_files(const ArchiveTail& tail);
[[nodiscard]] std::vector<ArchiveName> files_of(const Manifest& manifest);
[[nodiscard]] std::vector<ArchiveName> files_of(const ArchiveTail& tail);

// A file that was read without a manifest.
struct FoundFile {
  FileRecord record;  // of what is stored
  std::vector<std::byte> bytes;
};

struct RepositoryKeys {
  // A new repository is encrypted where there is one; later it takes this one and no other.
  std::optional<EncryptionKey> encryption;
  // Manifests that are added get its signature; its public key is trusted.
  std::optional<SigningKey> signing;
  // Where any is, a manifest that none of them signed is refused.
  std::vector<PublicKey> trusted;
};

// One process writes to a repository, any number read. One thread; errors name the file.
//
// Where it is encrypted every file but REPO/repository and REPO/lock is, on its way through here:
// sizes and digests are of what is stored, and bytes that come and go are not encrypted. Takes the
// memory of a file twice while it is written then.
class Repository {
 public:
  // For writing, a missing or empty folder becomes a repository, and the lock is held until the
  // object goes; while another one writes it is waited for so long. Errors: not_found, conflict
  // (another process writes), refused (the folder holds something else; no permission; a key is
  // missing, another one or too many), corrupt, newer_format, io, storage_full.
  [[nodiscard]] static Result<Repository> open(const std::filesystem::path& folder, Access access,
                                               RepositoryKeys keys = {},
                                               std::chrono::milliseconds wait_max = {});

  // What says that a folder is one, and where it has its files.
  static constexpr const char* head_file = repository_head_file;
  static constexpr const char* manifests_folder = "manifests";
  static constexpr const char* tails_folder = "tails";
  static constexpr const char* segments_folder = "segments";
  static constexpr const char* checkpoints_folder = "checkpoints";
  // Whether the folder is one, or holds nothing.
  [[nodiscard]] static bool may_be_in(const std::filesystem::path& folder);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] bool is_encrypted() const { return files_key_.has_value(); }
  [[nodiscard]] std::filesystem::path head_path() const { return folder_ / head_file; }
  [[nodiscard]] std::filesystem::path path_of(const ArchiveName& name) const {
    return folder_ / name.path();
  }
  // Whether what is made in `folder` is in nobody's way here. Errors: refused, io.
  [[nodiscard]] Result<void> check_outside(const std::filesystem::path& folder) const;
  // Of a manifest.
  [[nodiscard]] std::filesystem::path path_of(std::uint64_t number) const;
  // Of a tail.
  [[nodiscard]] std::filesystem::path path_of(const Timeline& timeline) const;

  // --- Manifests.

  // Of those that have a name, damaged or not; the newest first. None where they cannot be listed,
  // which add() and unreferenced() notice.
  [[nodiscard]] std::vector<std::uint64_t> numbers() const;
  // Errors: not_found, corrupt, newer_format, refused (nobody who is trusted has signed it), io.
  [[nodiscard]] Result<Manifest> manifest(std::uint64_t number) const;
  // Whoever signed it: for what it names, not for what it claims.
  [[nodiscard]] Result<Manifest> read_manifest(std::uint64_t number) const;
  // Errors: refused.
  [[nodiscard]] Result<void> check_signer(const Manifest& manifest) const;
  // What the next one names as its previous.
  [[nodiscard]] static Digest digest_of(const Manifest& manifest);
  // Once all files of it are there. Replaces none. Errors: conflict (there is one of that number),
  // storage_full, refused, io.
  [[nodiscard]] Result<void> add(const Manifest& manifest);
  [[nodiscard]] Result<void> remove(std::uint64_t number);

  // --- Tails. Read before manifests: one that is gone by then is in a newer snapshot.

  // Of which logs there are some, damaged or not. Errors: refused, io.
  [[nodiscard]] Result<std::vector<Timeline>> tails() const;
  // Errors: as of manifest().
  [[nodiscard]] Result<ArchiveTail> tail(const Timeline& timeline) const;
  // All files of all tails, whoever signed them. Errors: as of tails() and tail().
  [[nodiscard]] Result<std::vector<ArchiveName>> files_of_tails() const;
  // Once all files of it are there, in the place of what there was. Errors: storage_full, refused,
  // io.
  [[nodiscard]] Result<void> put(const ArchiveTail& tail);
  [[nodiscard]] Result<void> remove_tail(const Timeline& timeline);

  // --- The other files. Whole and synced, or not there. Errors: storage_full, refused, io.

  // The name gets the digest of what is stored, whatever it had.
  [[nodiscard]] Result<FileRecord> write(ArchiveName name, Bytes bytes);
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
  // Those of them that no manifest and no tail names: what a crash or a removed manifest has left.
  // Errors: of a manifest or a tail that cannot be read or listed, since it may name any of them.
  [[nodiscard]] Result<std::vector<ArchiveName>> unreferenced() const;
  [[nodiscard]] Result<void> remove(const ArchiveName& name);
  // What a crash has left without a name of its own.
  void remove_unfinished();

 private:
  Repository(std::filesystem::path folder, std::optional<WriteLock> lock,
             std::optional<EncryptionKey> files_key, RepositoryKeys keys);
  // What is stored of these bytes, in `memory` where that is something else. `name` is below the
  // repository.
  [[nodiscard]] Bytes stored(const std::filesystem::path& name, Bytes bytes,
                             std::vector<std::byte>& memory) const;
  // The reverse.
  [[nodiscard]] Result<std::vector<std::byte>> opened(const std::filesystem::path& name,
                                                      std::vector<std::byte> bytes) const;
  // One text with its seal, in the place of what there was.
  [[nodiscard]] Result<void> write_sealed(const std::filesystem::path& name, std::string_view text);
  [[nodiscard]] Result<SealedText> read_sealed(const std::filesystem::path& name) const;
  [[nodiscard]] Result<ArchiveTail> read_tail(const Timeline& timeline) const;
  [[nodiscard]] Result<void> check_signer(const std::filesystem::path& path,
                                          const std::optional<PublicKey>& signer) const;

  std::filesystem::path folder_;
  std::optional<WriteLock> lock_;
  std::optional<EncryptionKey> files_key_;
  std::optional<SigningKey> signing_;
  std::vector<PublicKey> trusted_;
};

// The newest snapshot that is called so, of those that can be read; nullopt when there is none.
[[nodiscard]] std::optional<Manifest> find_tagged(const Repository& repository,
                                                  std::string_view tag);

}  // namespace almanac
