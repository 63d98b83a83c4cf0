// Makes a segment of frames. archive_segment.h says what one is.
#pragma once

#include <almanac/snapshots/archive_segment.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <vector>

namespace almanac {

class Compressor;

// Builds one file in memory: at most limits::segment_file_bytes_max, and some MiB for each job. One
// thread calls; compresses on threads of its own.
class SegmentWriter {
 public:
  // `before` is the end of what is in front of it.
  SegmentWriter(const Timeline& timeline, const LogTail& before, std::size_t jobs);
  // Another one, behind finish(). `memory` is of a file that is not needed any more: fresh pages
  // have to be cleared.
  void begin(const LogTail& before, std::vector<std::byte> memory = {});
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;
  ~SegmentWriter();

  // The next frame of the log, which is copied. Close the segment once its frames have
  // limits::segment_bytes_target. Errors: corrupt (the digest of a frame, this one or one in front
  // of it, is not that of its bytes).
  [[nodiscard]] Result<void> add(const FrameReader& frame);
  [[nodiscard]] const SegmentHeader& header() const { return header_; }

  // The file. The last call but for begin(); there was a frame. Errors: corrupt.
  [[nodiscard]] Result<std::vector<std::byte>> finish();

 private:
  // Blocks that one thread compresses.
  struct Run {
    std::vector<std::byte> frames;
    std::vector<std::byte> packed;  // what they are compressed to
    std::vector<SegmentBlock> blocks;
    std::unique_ptr<Compressor> compressor;
  };
  [[nodiscard]] static Result<Run> compressed(Run run);
  void begin_block(const FrameReader& frame);
  [[nodiscard]] Result<void> hand_over_run();
  [[nodiscard]] Result<void> collect();

  const std::size_t jobs_;
  SegmentHeader header_;
  std::uint64_t block_events_ = 0;
  Run run_;                                    // being filled
  std::deque<std::future<Result<Run>>> runs_;  // being compressed, in their order
  std::vector<Run> spare_;                     // empty ones: fresh memory costs more
  std::vector<std::byte> file_;
  std::vector<SegmentBlock> blocks_;  // in the file
};

}  // namespace almanac
