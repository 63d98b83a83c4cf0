// A folder that goes again with what is in it.
#pragma once

#include <almanac/log/error.h>

#include <filesystem>
#include <string>
#include <utility>

namespace almanac {

class TemporaryFolder {
 public:
  // In `folder`, under a name that begins with `name`. Errors: refused, io, storage_full.
  [[nodiscard]] static Result<TemporaryFolder> make(const std::filesystem::path& folder,
                                                    const std::string& name);
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace almanac
