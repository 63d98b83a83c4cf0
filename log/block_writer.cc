#include <almanac/log/block_writer.h>

#include <almanac/log/limits.h>

#include <algorithm>
#include <cstring>

namespace almanac {
namespace {

constexpr std::size_t block_bytes = limits::journal_block_bytes;
static_assert(limits::journal_write_bytes % block_bytes == 0);
static_assert(limits::journal_segment_bytes_min % block_bytes == 0);

constexpr std::uint64_t block_begin(std::uint64_t offset) { return offset - offset % block_bytes; }

}  // namespace

// What the segment ends with is here, unless a write behind it failed.
Result<void> BlockWriter::hold(const Segment& segment) {
  if (segment.end % block_bytes == 0 || (held_ == &segment && held_end_ == segment.end)) return {};
  set_direct(segment, false);
  const auto offset = block_begin(segment.end);
  return read_at(segment, offset, memory_.bytes().first(segment.end - offset));
}

Result<void> BlockWriter::write(const Segment& segment, Bytes value) {
  if (auto held = hold(segment); !held) return held;
  held_ = nullptr;
  const auto buffer = memory_.bytes();
  auto offset = block_begin(segment.end);
  std::size_t filled = segment.end - offset;
  while (!value.empty()) {
    const auto part = value.first(std::min(value.size(), buffer.size() - filled));
    std::ranges::copy(part, buffer.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += part.size();
    value = value.subspan(part.size());
    const auto whole = block_begin(filled);
    const auto padded =
        std::min<std::uint64_t>(block_begin(filled + block_bytes - 1), segment.bytes - offset);
    std::ranges::fill(buffer.subspan(filled, padded - filled), std::byte{});
    if (auto written = write_at(segment, offset, buffer.first(padded)); !written) return written;
    std::memmove(buffer.data(), buffer.data() + whole, filled - whole);
    offset += whole;
    filled -= whole;
  }
  held_ = &segment;
  held_end_ = offset + filled;
  return {};
}

}  // namespace almanac
