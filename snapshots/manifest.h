// What a snapshot is made of: each file with its size and digest, and what it proves. The text of
// one names the digest of the one before it, so that a manifest stands for all there were.
#pragma once

#include <almanac/log/crypto.h>
#include <almanac/snapshots/archive_segment.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// A file as it was written.
struct FileRecord {
  std::uint64_t bytes = 0;
  Digest digest{};  // BLAKE2b-256 of all of it

  bool operator==(const FileRecord&) const = default;
};

struct SegmentRecord {
  SegmentHeader header;
  FileRecord file;
};

struct CheckpointRecord {
  Position position;
  Position base;                // of the checkpoint it is a delta against; none = of none
  std::uint64_t raw_bytes = 0;  // as the file of a checkpoint
  FileRecord file;
};

struct Manifest {
  std::uint64_t number = 0;  // from 1; the largest is the newest
  Time made_at;
  std::string tag;  // what people call it; empty = nothing
  Timeline timeline{};
  LogTail tail;    // of the log, where this snapshot ends
  Digest state{};  // there
  // The frames, from the first that the log had, or that an earlier snapshot had, to the tail.
  std::vector<SegmentRecord> segments;
  CheckpointRecord checkpoint;           // of the tail
  std::optional<CheckpointRecord> base;  // what that is a delta against
  Digest previous{};                     // of the manifest before it; zeros when there was none
  // Whose signature the file has that it was read from. Not in its text.
  std::optional<PublicKey> signer;

  [[nodiscard]] Position first() const { return segments.front().header.first; }
  // Whether it was joined with the tail behind it (archive_tail.h): frames without a state.
  [[nodiscard]] bool has_tail() const { return checkpoint.position < tail.last; }
  // Of all its files.
  [[nodiscard]] std::uint64_t bytes() const;
  // Of all its frames, as they stand in the log.
  [[nodiscard]] std::uint64_t frame_bytes() const;
};

// Whether it can be one: a letter, and up to 63 more letters, digits, dots, dashes and underscores.
// So no tag is a position or a time.
[[nodiscard]] bool is_tag(std::string_view text);

// One line of JSON with its members in a fixed order: the same manifest is the same text.
[[nodiscard]] std::string encode(const Manifest& manifest);
// Whatever the text says, the manifest that comes back has segments without gaps, joined by their
// digests, that end at its tail, and sizes below their limits. Errors: corrupt, newer_format.
[[nodiscard]] Result<Manifest> decode_manifest(std::string_view text);

}  // namespace almanac
