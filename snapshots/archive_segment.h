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
#include <memory>
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

// What is proven of frames beside the checksums of what they were compressed to.
enum class FrameProof : std::uint8_t {
  chain,  // each goes on from the one before, with the digest that makes it so: it is the log's
  none,   // enough for events, of a file that has the digest its manifest says
};

class Decompressor;

// The frames of a block, in memory that they share. Without proof they lack their digests, and
// those of the frames before.
struct UnpackedBlock {
  std::unique_ptr<std::byte[]> memory;
  std::vector<FrameReader> frames;
};

// A segment's file in memory. Any thread may read.
class ArchiveSegment {
 public:
  // Checks the file's checksum and that header and index fit each other. Errors: corrupt,
  // newer_format.
  [[nodiscard]] static Result<ArchiveSegment> open(std::vector<std::byte> file);

  [[nodiscard]] const SegmentHeader& header() const { return header_; }
  [[nodiscard]] std::span<const SegmentBlock> blocks() const { return blocks_; }

  // The block that holds the position, which is not behind the segment; else the first.
  [[nodiscard]] std::size_t find_block(Position position) const;
  // Up to so many blocks from one on, as far as they are whole: at least one. Checks their
  // checksums, that positions go on, and the chain, which costs least for limits::blocks_unpacked
  // of them. Takes memory for their frames. Errors, of the first: corrupt, newer_format.
  [[nodiscard]] Result<std::vector<UnpackedBlock>> unpack(std::size_t first, std::size_t count_max,
                                                          FrameProof proof,
                                                          Decompressor& decompressor) const;
  // Of the block's last frame, according to the index.
  [[nodiscard]] const Digest& digest_behind(std::size_t block) const;
  // Frame by frame from the one that holds `from`, as Log::read_frames does, some blocks at a
  // time. Errors: those of unpack(), what `visit` returns.
  [[nodiscard]] Result<void> read_frames(Position from, const FrameVisit& visit) const;

 private:
  ArchiveSegment() = default;
  [[nodiscard]] Result<void> read_header();
  [[nodiscard]] Result<void> read_index();
  [[nodiscard]] Position last_of(std::size_t block) const;

  std::vector<std::byte> file_;
  SegmentHeader header_;
  std::vector<SegmentBlock> blocks_;
  std::vector<std::size_t> offsets_;  // of the blocks in the file
};

}  // namespace almanac
