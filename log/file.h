// The few things a log does with plain files and folders. Nothing here is kept open.
#pragma once

#include <almanac/log/error.h>

#include <filesystem>

namespace almanac {

// Owns one file descriptor; closes it.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileDescriptor();

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] bool valid() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

// Makes names created, renamed or removed in a folder survive a power loss.
[[nodiscard]] Result<void> sync_folder(const std::filesystem::path& folder);
// Gives a file or folder another name, of which a file that has it already is gone, and syncs the
// folder it is in now.
[[nodiscard]] Result<void> rename_synced(const std::filesystem::path& from,
                                         const std::filesystem::path& to);

}  // namespace almanac
