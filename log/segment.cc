#include <almanac/log/segment.h>

#include <almanac/log/limits.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

namespace almanac {
namespace {

// Reads through one buffer, so that a walk over small frames costs few calls.
class Window {
 public:
  explicit Window(const Segment& segment) : segment_(segment) {}

  // Up to `size` bytes at `offset`, fewer at the end of the file; valid until the next call.
  Result<Bytes> at(std::uint64_t offset, std::size_t size) {
    if (offset < begin_ || offset + size > begin_ + filled_) {
      if (auto filled = fill(offset, std::max(size, window_bytes)); !filled) {
        return std::unexpected(filled.error());
      }
    }
    auto bytes = std::as_bytes(std::span(words_)).subspan(offset - begin_);
    return bytes.first(std::min(size, filled_ - (offset - begin_)));
  }

 private:
  static constexpr std::size_t window_bytes = 256 * limits::kibibyte;

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

// Asked first, so that zeros which are thrown away again do not take the room of others meanwhile.
bool has_room(const FileDescriptor& file, std::uint64_t bytes) {
  struct statvfs disk;
  return ::fstatvfs(file.get(), &disk) != 0 ||
         std::uint64_t{disk.f_bavail} * disk.f_frsize >= bytes;
}

}  // namespace

Result<Segment> create_segment(const std::filesystem::path& path, std::uint64_t bytes) {
  Segment segment;
  segment.file = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  segment.bytes = bytes;
  if (!segment.file.valid()) return fail_errno(errno, "create " + path.string());
  const std::vector<std::byte> zeros(std::min<std::uint64_t>(bytes, limits::mebibyte));
  Result<void> written;
  if (!has_room(segment.file, bytes)) written = fail_errno(ENOSPC, "create " + path.string());
  for (std::uint64_t done = 0; written && done < bytes; done += zeros.size()) {
    written = write_at(segment, done, Bytes(zeros).first(std::min(zeros.size(), bytes - done)));
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

Result<std::vector<SegmentFrame>> read_segment(const Segment& segment, Position after) {
  std::vector<SegmentFrame> frames;
  Window window(segment);
  std::optional<Position> last;
  for (std::uint64_t offset = 0; offset < segment.bytes;) {
    auto prefix = window.at(offset, stored_prefix_bytes);
    if (!prefix) return std::unexpected(prefix.error());
    auto size = stored_frame_bytes(*prefix);
    if (!size || *size > segment.bytes - offset) break;
    auto value = window.at(offset, *size);
    if (!value) return std::unexpected(value.error());
    if (value->size() < *size) break;
    auto frame = FrameReader::open(*value, FrameTrust::unverified);
    if (!frame) break;
    const FrameHeader& header = frame->header();
    if (last && header.first != last->next()) break;
    if (!frames.empty() && header.previous != frames.back().digest) break;
    last = header.last();
    if (*last > after) frames.push_back(own(header, offset, *value));
    offset += *size;
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

Result<void> write_at(const Segment& segment, std::uint64_t offset, Bytes bytes) {
  while (!bytes.empty()) {
    auto written =
        ::pwrite(segment.file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
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
