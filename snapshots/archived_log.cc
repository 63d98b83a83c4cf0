#include <almanac/snapshots/archived_log.h>

#include <optional>

namespace almanac {

Result<ArchiveSegment> open_segment(const Repository& repository, const SegmentRecord& record) {
  const ArchiveName name = name_of(record.header, record.file);
  auto bytes = repository.read(name, record.file);
  if (!bytes) return std::unexpected(bytes.error());
  auto segment = ArchiveSegment::open(std::move(*bytes));
  if (!segment) return in_file(repository.path_of(name), segment.error());
  if (segment->header() == record.header) return segment;
  return in_file(repository.path_of(name),
                 {ErrorCode::corrupt, "it is another segment than its manifest says", ""});
}

LogTail ArchivedLog::base() const {
  const SegmentHeader& first = manifest_.segments.front().header;
  if (first.first == Position(1)) return {};
  return {
      .last = Position(first.first.value - 1), .digest = first.before, .time = first.first_time};
}

Result<void> ArchivedLog::read_frames(Position from, const FrameVisit& visit) const {
  bool more = true;
  std::optional<Error> refused;  // by who visits: not of the file
  for (const SegmentRecord& record : manifest_.segments) {
    if (record.header.last < from) continue;
    auto segment = open_segment(repository_, record);
    if (!segment) return std::unexpected(segment.error());
    auto read = segment->read_frames(from, [&](const FrameReader& frame) -> Result<bool> {
      auto visited = visit(frame);
      if (!visited) refused = visited.error();
      more = visited.value_or(false);
      return more;
    });
    if (refused) return std::unexpected(std::move(*refused));
    if (!read)
      return in_file(repository_.path_of(name_of(record.header, record.file)), read.error());
    if (!more) return {};
  }
  return {};
}

Result<Position> ArchivedLog::position_at(Time time) const {
  // Of the segments that begin earlier only the last one may hold it.
  Position from = manifest_.first();
  for (const SegmentRecord& record : manifest_.segments) {
    if (record.header.first_time < time) from = record.header.first;
  }
  Position found = manifest_.tail.last.next();
  auto read = read_frames(from, [&](const FrameReader& frame) -> Result<bool> {
    for (std::uint32_t i = 0; i < frame.header().count; ++i) {
      auto event = frame.event(i);
      if (!event) return std::unexpected(event.error());
      if (event->at < time) continue;
      found = Position(frame.header().first.value + i);
      return false;
    }
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return found;
}

}  // namespace almanac
