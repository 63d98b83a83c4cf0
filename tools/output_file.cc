#include <almanac/tools/output_file.h>

#include <almanac/log/file.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace almanac {
namespace {

namespace fs = std::filesystem;

}  // namespace

Result<OutputFile> OutputFile::open(const std::string& path) {
  OutputFile out;
  if (path.empty()) return out;
  out.path_ = path;
  std::error_code ignored;
  auto type = fs::status(path, ignored).type();
  if (type == fs::file_type::regular || type == fs::file_type::directory) {
    return fail(ErrorCode::conflict, "'" + path + "' is there already",
                "remove it, or name another file");
  }
  // A pipe or a device is written to as it is.
  bool is_new = fs::symlink_status(path, ignored).type() == fs::file_type::not_found;
  if (is_new) out.partial_ = path + ".partial";
  const auto& target = out.partial_.empty() ? out.path_ : out.partial_;
  int descriptor = ::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor >= 0) out.file_.reset(::fdopen(descriptor, "w"));
  if (!out.file_ && errno == ENOENT) {
    return fail(ErrorCode::not_found, "there is no folder for '" + path + "'", "check the path");
  }
  if (!out.file_) {
    return fail_errno(errno, "write '" + target.string() + "'", "name a file you may write to");
  }
  return out;
}

OutputFile::~OutputFile() {
  std::error_code ignored;
  if (file_ && !partial_.empty()) fs::remove(partial_, ignored);
}

bool OutputFile::write_line(std::string_view line) {
  std::FILE* file = file_ ? file_.get() : stdout;
  bool written = std::fwrite(line.data(), 1, line.size(), file) == line.size() &&
                 std::fputc('\n', file) != EOF;
  if (!written && error_ == 0) error_ = errno;
  return written;
}

Result<void> OutputFile::failed(int error_number) const {
  return fail_errno(error_number, "write '" + path_.string() + "'");
}

Result<void> OutputFile::finish() {
  if (!file_) return {};  // main.cc looks after standard output
  if (error_ == 0 && std::fflush(file_.get()) != 0) error_ = errno;
  if (error_ == EPIPE) return {};
  if (error_ != 0) return failed(error_);
  if (partial_.empty()) return {};
  if (::fsync(::fileno(file_.get())) != 0) return failed(errno);
  if (::rename(partial_.c_str(), path_.c_str()) != 0) return failed(errno);
  partial_.clear();
  auto folder = path_.parent_path();
  return sync_folder(folder.empty() ? fs::path(".") : folder);
}

}  // namespace almanac
