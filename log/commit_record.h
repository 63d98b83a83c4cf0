// What the last commits to a log were, kept beside its LMDB file: DIR/log/commits. LMDB's meta
// pages have no checksum, so a torn or flipped one, or a file put back from an older day, looks
// like a log that ends earlier; against these records it does not.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/file.h>
#include <almanac/log/page_layout.h>
#include <almanac/log/types.h>

#include <array>
#include <filesystem>
#include <optional>

namespace almanac {

struct CommitRecord {
  std::uint64_t transaction = 0;
  std::uint64_t meta_hash = 0;  // of the meta page it wrote
  Timeline timeline{};
  Position first;   // of the last value; none while the log is empty
  Position last;    // of the last event
  Digest digest{};  // as the last frame states it

  bool operator==(const CommitRecord&) const = default;
};

// XXH3 of all a meta page says, wherever it stands.
[[nodiscard]] std::uint64_t hash_of(const layout::MetaPage& meta);

// Two slots, written in turn, so that a write cut short leaves the one before. A record is written
// once its commit is on disk and needs no sync of its own: one that is lost makes its commit
// unconfirmed, which only means that nothing vouches for it but the walk over its pages.
class CommitFile {
 public:
  // The records that are whole, the newest first. A file that is missing or damaged has none.
  using Records = std::array<std::optional<CommitRecord>, 2>;
  [[nodiscard]] static Records read(const std::filesystem::path& store);

  CommitFile() = default;
  // Makes the file when it is missing. Where that fails, write() does nothing: a log without
  // records is still a log.
  explicit CommitFile(const std::filesystem::path& store);
  // Lets it reach the disk with the sync of the next commit.
  void write(const CommitRecord& record) const;
  [[nodiscard]] Result<void> sync() const;

 private:
  FileDescriptor file_;
};

}  // namespace almanac
