// A segment of the archive: a closed run of a log's frames, compressed in blocks, with an index to
// find one by position. README.md has the bytes.
//
// What can be computed is not kept: frames lose their checksums and digests on the way in and get
// them back on the way out, in a chain that must lead from the digest in front of the segment to
// the one it ends with. So reading gives the bytes of the log, or an error.
#pragma once

#include <almanac/log/log.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace almanac {

// What a segment says of itself.
struct SegmentHeader {
  Timeline timeline{};
  Position first;
  Position last;
  std::uint64_t frames = 0;
  std::uint64_t frame_bytes = 0;  // as they stand in the log
  Time first_time;                // of its first frame
  Time last_time;                 // of its last frame
  Digest before{};                // of the frame in front of it; zeros in front of position 1
  Digest digest{};                // of its last frame

  bool operator==(const SegmentHeader&) const = default;
};

// The smallest part that is read at once.
struct SegmentBlock {
  Position first;
  Time time;  // of its first frame
  std::uint64_t frames = 0;
  std::uint64_t frame_bytes = 0;
  std::uint64_t bytes = 0;     // in the file
  std::uint64_t checksum = 0;  // XXH3-64 of those
  Digest before{};
};

inline constexpr std::string_view segment_magic = "ALMSEGMT";
inline constexpr std::uint64_t segment_format = 1;
inline constexpr std::size_t segment_header_bytes = 8 + 8 + 16 + 6 * 8 + 32 + 32 + 8;
inline constexpr std::size_t segment_index_bytes = 6 * 8 + 32;  // of each block
inline constexpr std::size_t segment_footer_bytes = 16;

// A segment's file in memory. Any thread may read.
class ArchiveSegment {
 public:
  // Checks the file's checksum and that header and index fit each other. Errors: corrupt,
  // newer_format.
  [[nodiscard]] static Result<ArchiveSegment> open(std::vector<std::byte> file);

  [[nodiscard]] const SegmentHeader& header() const { return header_; }
  [[nodiscard]] std::span<const SegmentBlock> blocks() const { return blocks_; }

  // Frame by frame from the one that holds `from`, as Log::read_frames does. A block is checked
  // before a frame of it is shown: its checksum, the chain, and that positions go on. Takes memory
  // for one block. Errors: corrupt, newer_format, what `visit` returns.
  [[nodiscard]] Result<void> read_frames(Position from, const FrameVisit& visit) const;

 private:
  ArchiveSegment() = default;
  [[nodiscard]] Result<void> read_header();
  [[nodiscard]] Result<void> read_index();
  struct BlockPlace {
    const SegmentBlock& block;
    std::size_t offset;
    Position last;
    const Digest& digest;  // of its last frame
  };
  [[nodiscard]] BlockPlace place_of(std::size_t block) const;

  std::vector<std::byte> file_;
  SegmentHeader header_;
  std::vector<SegmentBlock> blocks_;
  std::vector<std::size_t> offsets_;  // of the blocks in the file
};

}  // namespace almanac
