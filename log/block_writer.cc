#include <almanac/log/block_writer.h>

#include <almanac/log/limits.h>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace almanac {
namespace {

constexpr std::size_t block_bytes = limits::journal_block_bytes;
static_assert(limits::journal_write_bytes % block_bytes == 0);
static_assert(limits::journal_segment_bytes_min % block_bytes == 0);

constexpr std::uint64_t block_begin(std::uint64_t offset) { return offset - offset % block_bytes; }

void set_direct(const Segment& segment, bool direct) {
  const int flags = ::fcntl(segment.file.get(), F_GETFL);
  if (flags < 0) return;
  (void)::fcntl(segment.file.get(), F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT);
}

bool is_direct(const Segment& segment) {
  const int flags = ::fcntl(segment.file.get(), F_GETFL);
  return flags >= 0 && (flags & O_DIRECT) != 0;
}

// Where blocks are larger than ours, or part of one was written, the page cache sees to it.
Result<void> put(const Segment& segment, std::uint64_t offset, Bytes bytes) {
  int error = try_write_at(segment, offset, bytes);
  if (error == EINVAL && is_direct(segment)) {
    set_direct(segment, false);
    error = try_write_at(segment, offset, bytes);
  }
  if (error != 0) return fail_errno(error, "write the journal");
  return {};
}

}  // namespace

BlockWriter::BlockWriter()
    : bytes_(
          static_cast<std::byte*>(std::aligned_alloc(block_bytes, limits::journal_write_bytes))) {
  if (bytes_ == nullptr) throw std::bad_alloc();
}

std::span<std::byte> BlockWriter::buffer() const {
  return {bytes_.get(), limits::journal_write_bytes};
}

void BlockWriter::begin(const Segment& segment) { set_direct(segment, true); }

// What the segment ends with is here, unless a write behind it failed.
Result<void> BlockWriter::hold(const Segment& segment) {
  if (segment.end % block_bytes == 0 || (held_ == &segment && held_end_ == segment.end)) return {};
  set_direct(segment, false);
  const auto offset = block_begin(segment.end);
  return read_at(segment, offset, buffer().first(segment.end - offset));
}

Result<void> BlockWriter::write(const Segment& segment, Bytes value) {
  if (auto held = hold(segment); !held) return held;
  held_ = nullptr;
  auto offset = block_begin(segment.end);
  std::size_t filled = segment.end - offset;
  while (!value.empty()) {
    const auto part = value.first(std::min(value.size(), buffer().size() - filled));
    std::ranges::copy(part, buffer().begin() + static_cast<std::ptrdiff_t>(filled));
    filled += part.size();
    value = value.subspan(part.size());
    const auto whole = block_begin(filled);
    const auto padded =
        std::min<std::uint64_t>(block_begin(filled + block_bytes - 1), segment.bytes - offset);
    std::ranges::fill(buffer().subspan(filled, padded - filled), std::byte{});
    if (auto written = put(segment, offset, buffer().first(padded)); !written) return written;
    std::memmove(bytes_.get(), bytes_.get() + whole, filled - whole);
    offset += whole;
    filled -= whole;
  }
  held_ = &segment;
  held_end_ = offset + filled;
  return {};
}

}  // namespace almanac
