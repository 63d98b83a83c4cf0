#include <almanac/snapshots/temporary_folder.h>

#include <stdlib.h>

#include <cerrno>
#include <system_error>

namespace almanac {

Result<TemporaryFolder> TemporaryFolder::make(const std::filesystem::path& folder,
                                              const std::string& name) {
  std::string path = (folder / (name + "-XXXXXX")).string();
  if (::mkdtemp(path.data()) != nullptr) return TemporaryFolder(path);
  return fail_errno(errno, "make a folder in " + folder.string(), "name another place");
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace almanac
