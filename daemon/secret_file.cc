#include <almanac/daemon/secret_file.h>

#include <almanac/log/file.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace almanac {

Result<std::string> read_secret_file(const std::filesystem::path& file, std::size_t bytes_max) {
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.valid() && errno == ENOENT) {
    return fail(ErrorCode::not_found, "there is no file " + file.string(), "check the path");
  }
  if (!opened.valid()) return fail_errno(errno, "read " + file.string());
  struct stat found{};
  if (::fstat(opened.get(), &found) != 0) return fail_errno(errno, "look at " + file.string());
  if (!S_ISREG(found.st_mode)) {
    return fail(ErrorCode::invalid, file.string() + " is no file, and a file of secrets is wanted",
                "name one");
  }
  if ((found.st_mode & 077) != 0) {
    return fail(ErrorCode::refused, "others may read " + file.string() + ", which holds secrets",
                "chmod 600 it, and draw new ones if others may have read them");
  }
  std::string text(bytes_max, '\0');
  const ssize_t size = ::read(opened.get(), text.data(), text.size());
  if (size < 0) return fail_errno(errno, "read " + file.string());
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace almanac
