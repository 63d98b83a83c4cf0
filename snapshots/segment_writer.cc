#include <almanac/snapshots/segment_writer.h>

#include <almanac/log/digest_lanes.h>
#include <almanac/log/hash.h>
#include <almanac/snapshots/columns.h>
#include <almanac/snapshots/compression.h>
#include <almanac/snapshots/limits.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace almanac {
namespace {

void append(std::vector<std::byte>& to, Bytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

std::vector<std::byte> encode(const SegmentHeader& header, std::size_t blocks) {
  ColumnWriter writer;
  writer.bytes(as_bytes(segment_magic));
  writer.number(segment_format);
  writer.bytes(header.timeline);
  writer.number(header.first.value);
  writer.number(header.last.value);
  writer.number(header.frames);
  writer.number(header.frame_bytes);
  writer.number(static_cast<std::uint64_t>(header.first_time.time_since_epoch().count()));
  writer.number(static_cast<std::uint64_t>(header.last_time.time_since_epoch().count()));
  writer.bytes(header.before);
  writer.bytes(header.digest);
  writer.number(blocks);
  return writer.take();
}

std::vector<std::byte> encode_index(std::span<const SegmentBlock> blocks) {
  ColumnWriter writer;
  for (const SegmentBlock& block : blocks) {
    writer.number(block.first.value);
    writer.number(static_cast<std::uint64_t>(block.time.time_since_epoch().count()));
    writer.number(block.frames);
    writer.number(block.frame_bytes);
    writer.number(block.bytes);
    writer.number(block.checksum);
    writer.bytes(block.before);
  }
  return writer.take();
}

// The frames behind each other, each taken once.
class FrameRun {
 public:
  explicit FrameRun(std::span<std::byte> frames) : rest_(frames) {}

  // Empty behind the last.
  std::span<std::byte> take() {
    if (rest_.empty()) return {};
    const auto size = stored_frame_bytes(rest_);
    ALMANAC_CHECK(size && *size <= rest_.size());
    const auto frame = rest_.first(*size);
    rest_ = rest_.subspan(*size);
    return frame;
  }

 private:
  std::span<std::byte> rest_;
};

// Whether frames have the digests of their bytes.
class DigestCheck final : public DigestLane {
 public:
  explicit DigestCheck(FrameRun& frames) : frames_(frames) {}

  std::optional<Bytes> next() override {
    frame_ = frames_.take();
    if (frame_.empty()) return std::nullopt;
    return frame_.subspan(stored_prefix_bytes);
  }
  void tell(const Digest& digest) override {
    is_so_ = is_so_ && digest == stored_frame_digest(frame_);
  }
  [[nodiscard]] bool is_so() const { return is_so_; }

 private:
  FrameRun& frames_;
  Bytes frame_;
  bool is_so_ = true;
};

Result<void> check_digests(std::span<std::byte> frames, Position first) {
  FrameRun run(frames);
  std::vector<DigestCheck> checks(digest_lanes, DigestCheck(run));
  std::vector<DigestLane*> lanes;
  for (DigestCheck& check : checks) lanes.push_back(&check);
  blake2b(lanes);
  if (std::ranges::all_of(checks, &DigestCheck::is_so)) return {};
  return fail(ErrorCode::corrupt,
              "a frame at or behind position " + std::to_string(first.value) +
                  " does not have the digest of its bytes",
              "run `almanac log verify` to see how far the log is whole");
}

// Takes out of every frame what can be computed.
Result<void> strip_frames(std::span<std::byte> frames) {
  FrameRun run(frames);
  for (auto frame = run.take(); !frame.empty(); frame = run.take()) {
    if (auto stripped = strip_frame(frame); !stripped) return stripped;
  }
  return {};
}

}  // namespace

SegmentWriter::SegmentWriter(const Timeline& timeline, const LogTail& before, std::size_t jobs)
    : jobs_(jobs) {
  header_.timeline = timeline;
  begin(before);
}

SegmentWriter::~SegmentWriter() = default;

void SegmentWriter::begin(const LogTail& before, std::vector<std::byte> memory) {
  header_ = {.timeline = header_.timeline,
             .first = before.last.next(),
             .last = before.last,
             .before = before.digest,
             .digest = before.digest};
  file_ = std::move(memory);
  file_.assign(segment_header_bytes, {});
  blocks_.clear();
}

Result<void> SegmentWriter::add(const FrameReader& frame) {
  const FrameHeader& from = frame.header();
  ALMANAC_CHECK(from.first == header_.last.next() && from.previous == header_.digest);
  const bool block_is_full = !run_.blocks.empty() && block_events_ >= limits::block_events_min &&
                             run_.blocks.back().frame_bytes >= limits::block_bytes_min;
  if (block_is_full && run_.frames.size() >= limits::block_run_bytes) {
    if (auto handed = hand_over_run(); !handed) return handed;
  }
  if (run_.blocks.empty() || block_is_full) begin_block(frame);
  append(run_.frames, frame.value());
  SegmentBlock& block = run_.blocks.back();
  ++block.frames;
  block.frame_bytes += frame.size_bytes();
  block_events_ += from.count;

  if (header_.frames == 0) header_.first_time = from.time;
  ++header_.frames;
  header_.frame_bytes += frame.size_bytes();
  header_.last = from.last();
  header_.last_time = from.time;
  header_.digest = frame.digest();
  return {};
}

void SegmentWriter::begin_block(const FrameReader& frame) {
  run_.blocks.push_back(
      {.first = frame.header().first, .time = frame.header().time, .before = header_.digest});
  block_events_ = 0;
}

// Waits while twice as many runs are on their way as there are jobs: that bounds the memory, and no
// job is without work while the next run is filled.
Result<void> SegmentWriter::hand_over_run() {
  if (runs_.size() > 2 * jobs_) {
    if (auto collected = collect(); !collected) return collected;
  }
  const std::size_t bytes = run_.frames.capacity();
  runs_.push_back(std::async(std::launch::async, compressed, std::exchange(run_, {})));
  if (spare_.empty()) {
    run_.frames.reserve(bytes);
  } else {
    run_ = std::move(spare_.back());
    spare_.pop_back();
  }
  return {};
}

Result<SegmentWriter::Run> SegmentWriter::compressed(Run run) {
  if (auto checked = check_digests(run.frames, run.blocks.front().first); !checked) {
    return std::unexpected(checked.error());
  }
  if (!run.compressor) run.compressor = std::make_unique<Compressor>();
  auto rest = std::span(run.frames);
  for (SegmentBlock& block : run.blocks) {
    const auto frames = rest.first(block.frame_bytes);
    rest = rest.subspan(frames.size());
    if (auto stripped = strip_frames(frames); !stripped) return std::unexpected(stripped.error());
    const Bytes bytes = run.compressor->compress(frames);
    block.bytes = bytes.size();
    block.checksum = xxh3(bytes);
    append(run.packed, bytes);
  }
  return run;
}

Result<void> SegmentWriter::collect() {
  auto run = runs_.front().get();
  runs_.pop_front();
  if (!run) return std::unexpected(run.error());
  append(file_, run->packed);
  blocks_.insert(blocks_.end(), run->blocks.begin(), run->blocks.end());
  run->frames.clear();
  run->packed.clear();
  run->blocks.clear();
  spare_.push_back(std::move(*run));
  return {};
}

Result<std::vector<std::byte>> SegmentWriter::finish() {
  ALMANAC_CHECK(header_.frames > 0);
  if (auto handed = hand_over_run(); !handed) return std::unexpected(handed.error());
  while (!runs_.empty()) {
    if (auto collected = collect(); !collected) return std::unexpected(collected.error());
  }
  append(file_, encode_index(blocks_));
  std::ranges::copy(encode(header_, blocks_.size()), file_.begin());
  append(file_, xxh3_128(file_));
  return std::move(file_);
}

}  // namespace almanac
