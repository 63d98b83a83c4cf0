#include <almanac/snapshots/archive_segment.h>

#include <almanac/log/digest_lanes.h>
#include <almanac/log/frame_links.h>
#include <almanac/log/hash.h>
#include <almanac/snapshots/columns.h>
#include <almanac/snapshots/compression.h>
#include <almanac/snapshots/limits.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace almanac {
namespace {

std::unexpected<Error> corrupt(std::string what) {
  return fail(ErrorCode::corrupt, std::move(what));
}

Time read_time(ColumnReader& reader) {
  return Time(Duration(static_cast<Duration::rep>(reader.number())));
}

template <class Array>
void read_into(Array& to, ColumnReader& reader) {
  const Bytes from = reader.bytes(to.size());
  if (from.size() == to.size()) std::ranges::copy(from, to.begin());
}

// The frames of a block, one after the other: each is put behind the digest of the one before.
class Unpacking final : public DigestLane {
 public:
  Unpacking(const SegmentHeader& segment, const SegmentBlock& block)
      : segment_(segment),
        memory_(std::make_unique_for_overwrite<std::byte[]>(block.frame_bytes)),
        rest_(memory_.get(), block.frame_bytes),
        next_(block.first),
        digest_(block.before) {}

  [[nodiscard]] std::span<std::byte> memory() const { return rest_; }
  // Why it cannot be what was written.
  void refuse(Error error) {
    if (!error_) error_ = std::move(error);
    rest_ = {};
  }

  std::optional<Bytes> next() override {
    const auto frame = whole_frame();
    if (frame.empty()) return std::nullopt;
    auto message = link_frame(frame, digest_);
    if (message) return *message;
    refuse(message.error());
    return std::nullopt;
  }
  void tell(const Digest& digest) override {
    digest_ = digest;
    seal_frame(whole_frame(), digest);
    take_frame();
  }
  // The frames as they are.
  void take_all() {
    while (!whole_frame().empty()) take_frame();
  }

  // Behind the last frame. `last` and `digest` are the position and the digest it ends with; the
  // latter is not known of frames that were taken as they are.
  Result<UnpackedBlock> end(std::uint64_t frames, Position last,
                            const std::optional<Digest>& digest) {
    const bool is_as_written =
        frames_.size() == frames && next_ == last.next() && (!digest || digest_ == *digest);
    if (!is_as_written) refuse({ErrorCode::corrupt, "its frames are not those that were written"});
    if (error_) return std::unexpected(std::move(*error_));
    return UnpackedBlock{std::move(memory_), std::move(frames_)};
  }

 private:
  // Empty behind the last, and where there is none.
  std::span<std::byte> whole_frame() {
    if (rest_.empty()) return {};
    const auto size = stored_frame_bytes(rest_);
    if (size && *size <= rest_.size()) return rest_.first(*size);
    refuse({ErrorCode::corrupt, "its frames are not whole"});
    return {};
  }
  void take_frame() {
    const auto value = whole_frame();
    auto frame = FrameReader::open(value, FrameTrust::verified);
    if (!frame) return refuse(frame.error());
    if (frame->header().first != next_ || frame->header().timeline != segment_.timeline) {
      return refuse({ErrorCode::corrupt, "its frames do not go on"});
    }
    next_ = frame->header().last().next();
    frames_.push_back(std::move(*frame));
    rest_ = rest_.subspan(value.size());
  }

  const SegmentHeader& segment_;
  std::unique_ptr<std::byte[]> memory_;
  std::span<std::byte> rest_;
  Position next_;
  Digest digest_;  // of the last frame so far
  std::vector<FrameReader> frames_;
  std::optional<Error> error_;
};

// With the digests of their frames, the blocks side by side.
void complete_frames(std::deque<Unpacking>& blocks) {
  std::vector<DigestLane*> lanes;
  for (Unpacking& block : blocks) lanes.push_back(&block);
  blake2b(lanes);
}

Error at_block(Error error, Position first, Position last) {
  error.message = "positions " + std::to_string(first.value) + " to " + std::to_string(last.value) +
                  ": " + error.message;
  return error;
}

}  // namespace

Result<ArchiveSegment> ArchiveSegment::open(std::vector<std::byte> file) {
  ArchiveSegment segment;
  segment.file_ = std::move(file);
  if (auto read = segment.read_header(); !read) return std::unexpected(read.error());
  if (auto read = segment.read_index(); !read) return std::unexpected(read.error());
  return segment;
}

Result<void> ArchiveSegment::read_header() {
  const Bytes file(file_);
  if (file.size() < segment_header_bytes + segment_index_bytes + segment_footer_bytes) {
    return corrupt("it is cut short");
  }
  ColumnReader reader(file);
  if (as_text(reader.bytes(segment_magic.size())) != segment_magic) {
    return corrupt("it is no segment");
  }
  if (const auto format = reader.number(); format > segment_format) {
    return fail(ErrorCode::newer_format, "its format is newer than this version of Almanac knows",
                "use the version that wrote it, or a later one");
  }
  const auto content = file.first(file.size() - segment_footer_bytes);
  if (!std::ranges::equal(xxh3_128(content), file.last(segment_footer_bytes))) {
    return corrupt("its checksum is wrong");
  }
  read_into(header_.timeline, reader);
  header_.first = Position(reader.number());
  header_.last = Position(reader.number());
  header_.frames = reader.number();
  header_.frame_bytes = reader.number();
  header_.first_time = read_time(reader);
  header_.last_time = read_time(reader);
  read_into(header_.before, reader);
  read_into(header_.digest, reader);
  const std::uint64_t blocks = reader.number();
  const std::size_t room = content.size() - segment_header_bytes;
  if (!header_.first || header_.first > header_.last || header_.last.value == UINT64_MAX ||
      blocks == 0 || blocks > room / segment_index_bytes) {
    return corrupt("its header holds a number that cannot be");
  }
  blocks_.resize(blocks);
  return {};
}

Result<void> ArchiveSegment::read_index() {
  const std::size_t index_at =
      file_.size() - segment_footer_bytes - blocks_.size() * segment_index_bytes;
  ColumnReader reader(Bytes(file_).subspan(index_at));
  std::uint64_t at = segment_header_bytes;
  std::uint64_t frames = 0;
  std::uint64_t frame_bytes = 0;
  Position first = header_.first;
  for (SegmentBlock& block : blocks_) {
    block.first = Position(reader.number());
    block.time = read_time(reader);
    block.frames = reader.number();
    block.frame_bytes = reader.number();
    block.bytes = reader.number();
    block.checksum = reader.number();
    read_into(block.before, reader);
    const bool in_order = &block == &blocks_.front() ? block.first == first : block.first > first;
    if (!in_order || block.first > header_.last || block.frame_bytes > limits::block_bytes_max ||
        block.bytes > index_at - at) {
      return corrupt("its index holds a number that cannot be");
    }
    offsets_.push_back(at);
    first = block.first;
    at += block.bytes;
    frames += block.frames;
    frame_bytes += block.frame_bytes;
  }
  if (at != index_at || frames != header_.frames || frame_bytes != header_.frame_bytes ||
      frame_bytes > limits::segment_bytes_max || blocks_.front().before != header_.before) {
    return corrupt("its index contradicts its header");
  }
  return {};
}

Position ArchiveSegment::last_of(std::size_t block) const {
  return block + 1 == blocks_.size() ? header_.last : Position(blocks_[block + 1].first.value - 1);
}

const Digest& ArchiveSegment::digest_behind(std::size_t block) const {
  return block + 1 == blocks_.size() ? header_.digest : blocks_[block + 1].before;
}

std::size_t ArchiveSegment::find_block(Position position) const {
  const auto behind = std::ranges::upper_bound(blocks_, position, {}, &SegmentBlock::first);
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(behind - blocks_.begin(), 1) - 1);
}

Result<std::vector<UnpackedBlock>> ArchiveSegment::unpack(std::size_t first, std::size_t count_max,
                                                          FrameProof proof,
                                                          Decompressor& decompressor) const {
  std::deque<Unpacking> unpacking;
  const std::size_t count = std::min(count_max, blocks_.size() - first);
  for (std::size_t i = first; i < first + count; ++i) {
    const auto compressed = Bytes(file_).subspan(offsets_[i], blocks_[i].bytes);
    Unpacking& block = unpacking.emplace_back(header_, blocks_[i]);
    auto done = xxh3(compressed) == blocks_[i].checksum
                    ? decompressor.decompress(compressed, block.memory())
                    : corrupt("the checksum is wrong");
    if (!done) block.refuse(done.error());
    if (proof == FrameProof::none) block.take_all();
  }
  if (proof == FrameProof::chain) complete_frames(unpacking);
  std::vector<UnpackedBlock> blocks;
  for (std::size_t i = first; i < first + count; ++i) {
    const auto digest = proof == FrameProof::chain ? std::optional(digest_behind(i)) : std::nullopt;
    auto block = unpacking[i - first].end(blocks_[i].frames, last_of(i), digest);
    if (!block && i > first) break;
    if (!block) return std::unexpected(at_block(block.error(), blocks_[i].first, last_of(i)));
    blocks.push_back(std::move(*block));
  }
  return blocks;
}

Result<void> ArchiveSegment::read_frames(Position from, const FrameVisit& visit) const {
  Decompressor decompressor;
  std::size_t count = 1;  // for who wants one frame alone
  for (std::size_t i = find_block(from); i < blocks_.size();) {
    auto blocks = unpack(i, count, FrameProof::chain, decompressor);
    if (!blocks) return std::unexpected(blocks.error());
    i += blocks->size();
    count = limits::blocks_unpacked;
    for (const UnpackedBlock& block : *blocks) {
      for (const FrameReader& frame : block.frames) {
        if (frame.header().last() < from) continue;
        auto more = visit(frame);
        if (!more) return std::unexpected(more.error());
        if (!*more) return {};
      }
    }
  }
  return {};
}

}  // namespace almanac
