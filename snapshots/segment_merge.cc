#include <almanac/snapshots/segment_merge.h>

#include <almanac/snapshots/archived_log.h>
#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/segment_writer.h>

#include <cstdint>
#include <ranges>
#include <utility>

namespace almanac {

std::size_t count_to_merge(std::span<const SegmentRecord> segments) {
  std::size_t count = 0;
  std::uint64_t bytes = 0;
  for (const SegmentRecord& segment : std::views::reverse(segments)) {
    const std::uint64_t own = segment.header.frame_bytes;
    if ((count > 0 && own > bytes) || bytes + own > limits::segment_bytes_target) break;
    bytes += own;
    ++count;
  }
  return count >= limits::segment_merge_count ? count : 0;
}

Result<SegmentRecord> merge_segments(Repository& repository,
                                     std::span<const SegmentRecord> segments, std::size_t jobs) {
  const SegmentHeader& front = segments.front().header;
  SegmentWriter merged(
      front.timeline, {.last = Position(front.first.value - 1), .digest = front.before, .time = {}},
      jobs);
  for (const SegmentRecord& record : segments) {
    auto segment = open_segment(repository, record);
    if (!segment) return std::unexpected(segment.error());
    auto read =
        segment->read_frames(record.header.first, [&](const FrameReader& frame) -> Result<bool> {
          if (auto added = merged.add(frame); !added) return std::unexpected(added.error());
          return true;
        });
    if (!read) {
      return in_file(repository.path_of(name_of(record.header, record.file)), read.error());
    }
  }
  const SegmentHeader header = merged.header();
  auto file = merged.finish();
  if (!file) return std::unexpected(file.error());
  return write_segment(repository, header, *file);
}

}  // namespace almanac
