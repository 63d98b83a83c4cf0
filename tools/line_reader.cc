#include <almanac/tools/line_reader.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace almanac {
namespace {

constexpr std::size_t read_bytes = 256 * 1024;

}  // namespace

Result<LineReader> LineReader::open(const std::string& path, std::size_t line_bytes_max) {
  LineReader reader;
  reader.line_bytes_max_ = line_bytes_max;
  reader.shown_ = path == "-" ? "standard input" : path;
  reader.descriptor_ = STDIN_FILENO;
  if (path == "-") return reader;
  reader.owned_ = FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  reader.descriptor_ = reader.owned_.get();
  if (!reader.owned_.valid() && errno == ENOENT) {
    return fail(ErrorCode::not_found, "there is no file '" + path + "'", "check the path");
  }
  if (!reader.owned_.valid()) return fail_errno(errno, "open '" + path + "'");
  struct stat status;
  if (::fstat(reader.descriptor_, &status) == 0 && S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::invalid, "'" + path + "' is a folder", "name a file");
  }
  return reader;
}

Result<bool> LineReader::next() {
  std::size_t searched = begin_;
  for (;;) {
    auto end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      line_ = std::string_view(buffer_).substr(begin_, end - begin_);
      begin_ = end + 1;
      ++number_;
      return true;
    }
    auto unread = buffer_.size() - begin_;
    if (unread > line_bytes_max_) {
      return fail(ErrorCode::invalid,
                  shown_ + ":" + std::to_string(number_ + 1) + ": the line is over the limit of " +
                      std::to_string(line_bytes_max_) + " bytes",
                  "write each event on a line of its own");
    }
    auto more = fill();
    if (!more) return more;
    searched = begin_ + unread;
    if (*more) continue;
    line_ = std::string_view(buffer_).substr(begin_);
    begin_ = buffer_.size();
    if (line_.empty()) return false;
    ++number_;
    return true;
  }
}

// Drops what was given and reads on; false at the end.
Result<bool> LineReader::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  auto before = buffer_.size();
  buffer_.resize(before + read_bytes);
  ssize_t count = -1;
  do {
    count = ::read(descriptor_, buffer_.data() + before, read_bytes);
  } while (count < 0 && errno == EINTR);
  int failed = errno;
  buffer_.resize(before + static_cast<std::size_t>(count > 0 ? count : 0));
  if (count < 0) return fail_errno(failed, "read " + shown_);
  return count > 0;
}

}  // namespace almanac
