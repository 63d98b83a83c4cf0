#include <almanac/snapshots/segment_writer.h>

#include <almanac/log/hash.h>
#include <almanac/snapshots/columns.h>
#include <almanac/snapshots/compression.h>
#include <almanac/snapshots/limits.h>

#include <algorithm>
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

// Takes out of every frame what can be computed, once it has proved to be just that.
Result<void> strip_frames(std::span<std::byte> frames, Position block) {
  while (!frames.empty()) {
    const auto size = stored_frame_bytes(frames);
    ALMANAC_CHECK(size && *size <= frames.size());
    const auto frame = frames.first(*size);
    if (blake2b(frame.subspan(stored_prefix_bytes)) != stored_frame_digest(frame)) {
      return fail(ErrorCode::corrupt,
                  "a frame at or behind position " + std::to_string(block.value) +
                      " does not have the digest of its bytes",
                  "run `almanac log verify` to see how far the log is whole");
    }
    if (auto stripped = strip_frame(frame); !stripped) return stripped;
    frames = frames.subspan(*size);
  }
  return {};
}

}  // namespace

SegmentWriter::SegmentWriter(const Timeline& timeline, const LogTail& before, std::size_t jobs)
    : jobs_(jobs), file_(segment_header_bytes) {
  header_.timeline = timeline;
  header_.first = before.last.next();
  header_.last = before.last;
  header_.before = before.digest;
  header_.digest = before.digest;
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
  runs_.push_back(std::async(std::launch::async, compressed, std::exchange(run_, {})));
  if (!spare_.empty()) {
    run_.frames = std::move(spare_.back());
    spare_.pop_back();
  }
  return {};
}

Result<SegmentWriter::Run> SegmentWriter::compressed(Run run) {
  Compressor compressor;
  auto rest = std::span(run.frames);
  for (SegmentBlock& block : run.blocks) {
    const auto frames = rest.first(block.frame_bytes);
    rest = rest.subspan(frames.size());
    if (auto stripped = strip_frames(frames, block.first); !stripped) {
      return std::unexpected(stripped.error());
    }
    const auto bytes = compressor.compress(frames);
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
  spare_.push_back(std::move(run->frames));
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
