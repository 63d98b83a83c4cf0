#include <almanac/log/file.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace almanac {

FileDescriptor::~FileDescriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid() || ::fsync(opened.get()) != 0) {
    return fail_errno(errno, "sync the folder " + folder.string());
  }
  return {};
}

}  // namespace almanac
