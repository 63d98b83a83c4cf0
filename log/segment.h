// One file of the journal. Nothing here is kept open but what a Segment owns.
#pragma once

#include <almanac/log/codec.h>
#include <almanac/log/error.h>
#include <almanac/log/file.h>
#include <almanac/log/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

namespace almanac {

// Owned by a journal; the writer's thread alone writes.
struct Segment {
  FileDescriptor file;
  std::uint64_t bytes = 0;  // of the file
  std::uint64_t end = 0;    // of the frames in it
  Position last;            // of the frames in it that are still needed
  bool in_use = false;      // the one that is written to

  [[nodiscard]] bool free() const { return !last && !in_use; }
  [[nodiscard]] std::uint64_t room() const { return bytes - end; }
};

// A frame read from a segment, in memory of its own.
struct SegmentFrame {
  Position first;
  Position last;
  std::uint64_t offset = 0;  // in the segment
  Digest digest{};
  std::vector<std::uint64_t> words;  // complete, whether or not it is a draft in the segment

  [[nodiscard]] Bytes value() const { return std::as_bytes(std::span(words)); }
};

// Makes a file of zeros and syncs it; it is written past the page cache. Errors: storage_full (and
// the file is gone), refused, io.
[[nodiscard]] Result<Segment> create_segment(const std::filesystem::path& path,
                                             std::uint64_t bytes);
// Errors: not_found, refused, io.
[[nodiscard]] Result<Segment> open_segment(const std::filesystem::path& path, int open_flags);

// Asks again how large the file is: it may still have been in the making. Errors: io.
[[nodiscard]] Result<void> measure(Segment& segment);

// Where a reader stood in a segment, so that it need not read again what it has found there. It
// stands as long as the segment begins with the frame it began with, and has the last one found in
// its place: a segment is used again from the front. Of one reader and one segment.
struct SegmentCursor {
  using Prefix = std::array<std::byte, stored_prefix_bytes>;
  struct Place {
    Position first;
    std::uint64_t offset = 0;
  };
  std::vector<Place> frames;  // one behind the other, from the front of the segment
  Prefix front{};             // of the first of them
  Prefix back{};              // of the last
  std::uint64_t end = 0;      // behind it
  Position last;              // in it
  std::optional<Digest> digest;
};

// Which frames are wanted: none that ends at or in front of `after`, none that ends behind
// `through`.
struct SegmentRange {
  Position after;
  Position through = Position(UINT64_MAX);
};

// The wanted ones of the whole frames at the front of a segment, each following the one before.
// Behind them lies nothing, a torn frame, or what is left of an earlier turn. A writer may change
// the file meanwhile: then there are fewer. Reads what is wanted, and what is behind the cursor,
// which it moves. Errors: io.
[[nodiscard]] Result<std::vector<SegmentFrame>> read_segment(const Segment& segment,
                                                             SegmentCursor& cursor,
                                                             const SegmentRange& range);

// Whether it is written past the page cache, where the file system lets it: then what is read and
// written goes by blocks of limits::journal_block_bytes, in the file and in memory. A write of
// something else is one through the page cache, as are all behind it.
void set_direct(const Segment& segment, bool direct);

// Errors: those of pread, pwrite and fdatasync, by errno. Nothing else is retried but EINTR.
[[nodiscard]] Result<void> read_at(const Segment& segment, std::uint64_t offset,
                                   std::span<std::byte> bytes);
[[nodiscard]] Result<void> write_at(const Segment& segment, std::uint64_t offset, Bytes bytes);
[[nodiscard]] Result<void> sync(const Segment& segment);

}  // namespace almanac
