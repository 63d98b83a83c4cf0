#include <almanac/snapshots/archived_log.h>

#include <almanac/snapshots/ahead.h>
#include <almanac/snapshots/compression.h>
#include <almanac/snapshots/limits.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace almanac {

// The tail first: one that is gone when manifests are read has become part of one.
Result<NewestArchived> find_newest(const Repository& repository, const Timeline& timeline) {
  auto tail = repository.tail(timeline);
  for (std::uint64_t number : repository.numbers()) {
    auto manifest = repository.manifest(number);
    if (!manifest || manifest->timeline != timeline) continue;
    NewestArchived newest{.snapshot = std::move(*manifest), .tail = {}, .tail_damaged = {}};
    if (tail && goes_on_behind(*tail, newest.snapshot)) newest.tail = std::move(*tail);
    if (!tail && tail.error().code != ErrorCode::not_found) newest.tail_damaged = tail.error();
    return newest;
  }
  return fail(ErrorCode::not_found, "there is no snapshot of log " + to_hex(timeline),
              "`almanac snapshot create` makes one");
}

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

Result<SegmentRecord> write_segment(Repository& repository, const SegmentHeader& header,
                                    Bytes file) {
  auto written = repository.write(name_of(header, {}), file);
  if (!written) return std::unexpected(written.error());
  return SegmentRecord{.header = header, .file = *written};
}

LogTail ArchivedLog::base() const {
  const SegmentHeader& first = manifest_.segments.front().header;
  if (first.first == Position(1)) return {};
  return {
      .last = Position(first.first.value - 1), .digest = first.before, .time = first.first_time};
}

// One pass over the frames, some blocks at a time.
class ArchivedLog::Reading {
 public:
  using Blocks = std::vector<UnpackedBlock>;

  Reading(const ArchivedLog& log, Position from, FrameProof proof)
      : log_(log),
        last_(log.manifest_.tail.last),
        proof_(proof),
        manifest_(log.manifest_),
        next_(from) {}

  // Some blocks; none behind the last one.
  Result<std::optional<Blocks>> next();

 private:
  struct Opened {
    ArchiveName name;
    ArchiveSegment segment;
    std::size_t next = 0;  // block
  };
  // The segment that holds the next position, or null behind the last.
  [[nodiscard]] const SegmentRecord* find() const;
  [[nodiscard]] Result<Opened> open(const SegmentRecord& record);
  [[nodiscard]] bool goes_on(const Digest& before, std::vector<FrameReader>& frames) const;
  [[nodiscard]] Result<Blocks> unpack_next();

  const ArchivedLog& log_;
  const Position last_;
  const FrameProof proof_;
  Manifest manifest_;
  Position next_;
  std::optional<Opened> opened_;  // the segment that is read
  std::optional<Digest> chain_;   // of the frame in front of it, once one was read
  std::size_t count_ = 1;         // of blocks; one first, for who wants no more
  Decompressor decompressor_;
};

const SegmentRecord* ArchivedLog::Reading::find() const {
  if (next_ > last_) return nullptr;
  const auto& segments = manifest_.segments;
  const auto found = std::ranges::lower_bound(
      segments, next_, {}, [](const SegmentRecord& record) { return record.header.last; });
  return found == segments.end() ? nullptr : &*found;
}

// Where a file of a tail is gone, its frames are in another one.
Result<ArchivedLog::Reading::Opened> ArchivedLog::Reading::open(const SegmentRecord& record) {
  const ArchiveName name = name_of(record.header, record.file);
  auto segment = open_segment(log_.repository_, record);
  if (segment) {
    const std::size_t first = segment->find_block(next_);
    return Opened{name, std::move(*segment), first};
  }
  const bool is_of_tail = record.header.first > log_.manifest_.checkpoint.position;
  if (segment.error().code != ErrorCode::not_found || !is_of_tail) {
    return std::unexpected(segment.error());
  }
  auto newest = find_newest(log_.repository_, manifest_.timeline);
  if (newest) manifest_ = newest->joined();
  const SegmentRecord* now = find();
  if (now == nullptr || now->header.first > next_ || name_of(now->header, now->file) == name) {
    return std::unexpected(segment.error());
  }
  return open(*now);
}

// Whether the first block read now goes on behind what was read before. Where it is of a file that
// has taken the place of others, frames that were read stand in front of the next one: they go.
bool ArchivedLog::Reading::goes_on(const Digest& before, std::vector<FrameReader>& frames) const {
  const auto again =
      std::erase_if(frames, [&](const FrameReader& frame) { return frame.header().first < next_; });
  if (frames.empty() || frames.front().header().first != next_) return false;
  if (again == 0) return before == *chain_;
  return proof_ == FrameProof::none || frames.front().header().previous == *chain_;
}

Result<ArchivedLog::Reading::Blocks> ArchivedLog::Reading::unpack_next() {
  const ArchiveSegment& segment = opened_->segment;
  const std::size_t first = opened_->next;
  auto blocks = segment.unpack(first, count_, proof_, decompressor_);
  if (!blocks) return blocks;
  if (chain_ && !goes_on(segment.blocks()[first].before, blocks->front().frames)) {
    return fail(ErrorCode::corrupt, "its frames do not go on from those in front of them");
  }
  count_ = limits::blocks_unpacked;
  opened_->next += blocks->size();
  chain_ = segment.digest_behind(opened_->next - 1);
  next_ = blocks->back().frames.back().header().last().next();
  return blocks;
}

Result<std::optional<ArchivedLog::Reading::Blocks>> ArchivedLog::Reading::next() {
  if (opened_ && opened_->next == opened_->segment.blocks().size()) opened_.reset();
  if (!opened_) {
    const SegmentRecord* record = find();
    if (record == nullptr) return std::nullopt;
    auto opened = open(*record);
    if (!opened) return std::unexpected(opened.error());
    opened_ = std::move(*opened);
  }
  auto blocks = unpack_next();
  if (!blocks) return in_file(log_.repository_.path_of(opened_->name), blocks.error());
  return std::move(*blocks);
}

Result<void> ArchivedLog::read_frames(Position from, FrameProof proof,
                                      const FrameVisit& visit) const {
  Reading reading(*this, from, proof);
  Ahead<Reading::Blocks> ahead([&] { return reading.next(); }, limits::unpacked_ahead_max);
  while (true) {
    auto blocks = ahead.next();
    if (!blocks) return std::unexpected(blocks.error());
    if (!*blocks) return {};
    for (const UnpackedBlock& block : **blocks) {
      for (const FrameReader& frame : block.frames) {
        if (frame.header().last() < from) continue;
        if (frame.header().first > manifest_.tail.last) return {};
        auto more = visit(frame);
        if (!more) return std::unexpected(more.error());
        if (!*more) return {};
      }
    }
  }
}

Result<void> ArchivedLog::read(Position from, const EventVisit& visit) const {
  return read_frames(from, FrameProof::none, [&](const FrameReader& frame) -> Result<bool> {
    const Position first = frame.header().first;
    for (std::uint32_t i = 0; i < frame.header().count; ++i) {
      const Position position(first.value + i);
      if (position < from) continue;
      auto event = frame.event(i);
      if (!event) return std::unexpected(event.error());
      auto more = visit({position, *event});
      if (!more || !*more) return more;
    }
    return true;
  });
}

Result<Position> ArchivedLog::position_at(Time time) const {
  // Of the segments that begin earlier only the last one may hold it.
  Position from = manifest_.first();
  for (const SegmentRecord& record : manifest_.segments) {
    if (record.header.first_time < time) from = record.header.first;
  }
  Position found = manifest_.tail.last.next();
  auto events = read(from, [&](const RecordedEvent& recorded) -> Result<bool> {
    if (recorded.event.at < time) return true;
    found = recorded.position;
    return false;
  });
  if (!events) return std::unexpected(events.error());
  return found;
}

}  // namespace almanac
