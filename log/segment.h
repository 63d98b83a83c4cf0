// One file of the journal. Nothing here is kept open but what a Segment owns.
#pragma once

#include <almanac/log/codec.h>
#include <almanac/log/error.h>
#include <almanac/log/file.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <filesystem>
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

// Makes a file of zeros and syncs it. Errors: storage_full (and the file is gone), refused, io.
[[nodiscard]] Result<Segment> create_segment(const std::filesystem::path& path,
                                             std::uint64_t bytes);
// Errors: not_found, refused, io.
[[nodiscard]] Result<Segment> open_segment(const std::filesystem::path& path, int open_flags);

// The whole frames at the front of a segment, each following the one before, without those that
// end at or in front of `after`. Behind them lies nothing, a torn frame, or what is left of an
// earlier turn. A writer may change the file meanwhile: then there are fewer. Errors: io.
[[nodiscard]] Result<std::vector<SegmentFrame>> read_segment(const Segment& segment,
                                                             Position after);

// Errors: those of pread, pwrite and fdatasync, by errno. Nothing is retried but EINTR.
[[nodiscard]] Result<void> read_at(const Segment& segment, std::uint64_t offset,
                                   std::span<std::byte> bytes);
[[nodiscard]] Result<void> write_at(const Segment& segment, std::uint64_t offset, Bytes bytes);
[[nodiscard]] Result<void> sync(const Segment& segment);

}  // namespace almanac
