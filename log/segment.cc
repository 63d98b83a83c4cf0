#include <almanac/log/segment.h>

#include <almanac/log/block_memory.h>
#include <almanac/log/limits.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

namespace almanac {
namespace {

// Enough of a frame to see which position it begins with.
constexpr std::size_t head_bytes = 256;

// Reads through one buffer, more at a time the longer it goes on: a walk over small frames costs
// few calls, and a look at what may be new few bytes.
class Window {
 public:
  explicit Window(const Segment& segment) : segment_(segment) {}

  // Up to `size` bytes at `offset`, fewer at the end of the file; valid until the next call.
  Result<Bytes> at(std::uint64_t offset, std::size_t size) {
    if (offset < begin_ || offset + size > begin_ + filled_) {
      if (auto filled = fill(offset, std::max(size, window_bytes_)); !filled) {
        return std::unexpected(filled.error());
      }
      window_bytes_ = std::min(4 * window_bytes_, window_bytes_max);
    }
    auto bytes = std::as_bytes(std::span(words_)).subspan(offset - begin_);
    return bytes.first(std::min(size, filled_ - (offset - begin_)));
  }

 private:
  static constexpr std::size_t window_bytes_max = 256 * limits::kibibyte;

  Result<void> fill(std::uint64_t offset, std::size_t size) {
    words_.resize((size + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
    begin_ = offset;
    filled_ = 0;
    auto place = std::as_writable_bytes(std::span(words_)).first(size);
    while (filled_ < size) {
      auto read = ::pread(segment_.file.get(), place.data() + filled_, size - filled_,
                          static_cast<off_t>(offset + filled_));
      if (read < 0 && errno == EINTR) continue;
      if (read < 0) return fail_errno(errno, "read the journal");
      if (read == 0) break;
      filled_ += static_cast<std::size_t>(read);
    }
    return {};
  }

  const Segment& segment_;
  std::vector<std::uint64_t> words_;
  std::size_t window_bytes_ = head_bytes;
  std::uint64_t begin_ = 0;
  std::size_t filled_ = 0;
};

SegmentFrame own(const FrameHeader& header, std::uint64_t offset, Bytes value) {
  SegmentFrame frame{header.first, header.last(), offset, {}, {}};
  frame.words.resize(value.size() / sizeof(std::uint64_t));
  auto place = std::as_writable_bytes(std::span(frame.words));
  std::ranges::copy(value, place.begin());
  frame.digest = complete_frame(place);
  return frame;
}

bool is_direct(const Segment& segment) {
  const int flags = ::fcntl(segment.file.get(), F_GETFL);
  return flags >= 0 && (flags & O_DIRECT) != 0;
}

// Asked first, so that zeros which are thrown away again do not take the room of others meanwhile.
bool has_room(const FileDescriptor& file, std::uint64_t bytes) {
  struct statvfs disk;
  return ::fstatvfs(file.get(), &disk) != 0 ||
         std::uint64_t{disk.f_bavail} * disk.f_frsize >= bytes;
}

SegmentCursor::Prefix prefix_of(Bytes value) {
  SegmentCursor::Prefix prefix{};
  std::ranges::copy(value.first(std::min(value.size(), prefix.size())), prefix.begin());
  return prefix;
}

Result<SegmentCursor::Prefix> prefix_at(const Segment& segment, std::uint64_t offset) {
  Window window(segment);
  auto bytes = window.at(offset, stored_prefix_bytes);
  if (!bytes) return std::unexpected(bytes.error());
  return prefix_of(*bytes);
}

// Whether the segment still holds what the cursor has found.
Result<bool> stands(const SegmentCursor& cursor, const Segment& segment) {
  if (cursor.frames.empty()) return true;
  auto front = prefix_at(segment, 0);
  if (!front) return std::unexpected(front.error());
  if (*front != cursor.front) return false;
  auto back = prefix_at(segment, cursor.frames.back().offset);
  if (!back) return std::unexpected(back.error());
  return *back == cursor.back;
}

// A place in a segment, and what the frame there must follow, as far as that is known.
struct Joint {
  std::uint64_t offset = 0;
  std::optional<Position> last;
  std::optional<Digest> digest;
};

// Where the first frame is, or may come, that ends behind `after`.
Joint joint_behind(const SegmentCursor& cursor, Position after) {
  const auto& frames = cursor.frames;
  if (frames.empty()) return {};
  if (after >= cursor.last) return {cursor.end, cursor.last, cursor.digest};
  auto behind = std::ranges::upper_bound(frames, after.next(), {}, &SegmentCursor::Place::first);
  if (behind == frames.begin()) return {};
  const auto& place = *std::prev(behind);
  return {place.offset, Position(place.first.value - 1), std::nullopt};
}

void move(SegmentCursor& cursor, const SegmentCursor::Place& place, Bytes value) {
  cursor.back = prefix_of(value);
  if (cursor.frames.empty()) cursor.front = cursor.back;
  cursor.frames.push_back(place);
  cursor.end = place.offset + value.size();
}

// The bytes of the frame that is next, if one that is whole and follows is.
Result<std::optional<Bytes>> next_value(Window& window, const Segment& segment,
                                        const Joint& joint) {
  auto head = window.at(joint.offset, head_bytes);
  if (!head) return std::unexpected(head.error());
  auto size = stored_frame_bytes(*head);
  if (!size || *size > segment.bytes - joint.offset) return std::nullopt;
  // What is left of an earlier turn need not be read to its end.
  auto positions = stored_frame_positions(*head);
  if (joint.last && positions && positions->first != joint.last->next()) return std::nullopt;
  auto value = window.at(joint.offset, *size);
  if (!value) return std::unexpected(value.error());
  return value->size() < *size ? std::nullopt : std::optional(*value);
}

}  // namespace

Result<Segment> create_segment(const std::filesystem::path& path, std::uint64_t bytes) {
  Segment segment;
  segment.file = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  segment.bytes = bytes;
  if (!segment.file.valid()) return fail_errno(errno, "create " + path.string());
  set_direct(segment, true);
  const BlockMemory memory(std::min<std::uint64_t>(bytes, limits::mebibyte));
  std::ranges::fill(memory.bytes(), std::byte{});
  const Bytes zeros = memory.bytes();
  Result<void> written;
  if (!has_room(segment.file, bytes)) written = fail_errno(ENOSPC, "create " + path.string());
  for (std::uint64_t done = 0; written && done < bytes; done += zeros.size()) {
    written = write_at(segment, done, zeros.first(std::min(zeros.size(), bytes - done)));
  }
  if (written && ::fsync(segment.file.get()) != 0) written = fail_errno(errno, "sync the journal");
  if (written) return segment;
  ::unlink(path.c_str());
  return std::unexpected(written.error());
}

Result<Segment> open_segment(const std::filesystem::path& path, int open_flags) {
  Segment segment;
  segment.file = FileDescriptor(::open(path.c_str(), open_flags | O_CLOEXEC));
  struct stat status;
  if (!segment.file.valid() || ::fstat(segment.file.get(), &status) != 0) {
    if (errno == ENOENT) return fail(ErrorCode::not_found, "there is no " + path.string());
    return fail_errno(errno, "open " + path.string());
  }
  segment.bytes = static_cast<std::uint64_t>(status.st_size);
  segment.end = segment.bytes;
  return segment;
}

Result<void> measure(Segment& segment) {
  struct stat status;
  if (::fstat(segment.file.get(), &status) != 0) return fail_errno(errno, "read the journal");
  segment.bytes = static_cast<std::uint64_t>(status.st_size);
  return {};
}

Result<std::vector<SegmentFrame>> read_segment(const Segment& segment, SegmentCursor& cursor,
                                               const SegmentRange& range) {
  auto standing = stands(cursor, segment);
  if (!standing) return std::unexpected(standing.error());
  if (!*standing) cursor = {};
  std::vector<SegmentFrame> frames;
  Window window(segment);
  auto joint = joint_behind(cursor, range.after);
  while (joint.offset < segment.bytes) {
    auto value = next_value(window, segment, joint);
    if (!value) return std::unexpected(value.error());
    if (!*value) break;
    auto frame = FrameReader::open(**value, FrameTrust::unverified);
    if (!frame) break;
    const FrameHeader& header = frame->header();
    if (joint.last && header.first != joint.last->next()) break;
    if (joint.digest && header.previous != *joint.digest) break;
    if (header.last() > range.through) break;
    const bool wanted = header.last() > range.after;
    if (wanted) frames.push_back(own(header, joint.offset, **value));
    const bool found = joint.offset >= cursor.end;
    if (found) move(cursor, {header.first, joint.offset}, **value);
    joint = {joint.offset + (*value)->size(), header.last(),
             wanted ? std::optional(frames.back().digest) : std::nullopt};
    if (found) cursor.last = header.last();
    if (found) cursor.digest = joint.digest;
  }
  return frames;
}

Result<void> read_at(const Segment& segment, std::uint64_t offset, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    auto read = ::pread(segment.file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) return fail_errno(read == 0 ? EIO : errno, "read the journal");
    bytes = bytes.subspan(static_cast<std::size_t>(read));
    offset += static_cast<std::uint64_t>(read);
  }
  return {};
}

void set_direct(const Segment& segment, bool direct) {
  const int flags = ::fcntl(segment.file.get(), F_GETFL);
  if (flags < 0) return;
  (void)::fcntl(segment.file.get(), F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT);
}

Result<void> write_at(const Segment& segment, std::uint64_t offset, Bytes bytes) {
  while (!bytes.empty()) {
    auto written =
        ::pwrite(segment.file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EINVAL && is_direct(segment)) {
      set_direct(segment, false);
      continue;
    }
    if (written <= 0) return fail_errno(written == 0 ? ENOSPC : errno, "write the journal");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<void> sync(const Segment& segment) {
  if (::fdatasync(segment.file.get()) != 0) return fail_errno(errno, "sync the journal");
  return {};
}

}  // namespace almanac
