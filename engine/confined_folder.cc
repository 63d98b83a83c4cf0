#include <almanac/engine/confined_folder.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <compare>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> cannot(const std::string& what, const fs::path& path) {
  const int error = errno;
  if (error == ENOENT) return fail(ErrorCode::not_found, "there is no " + path.string());
  if (error != ELOOP && error != ENOTDIR) return fail_errno(error, what + " " + path.string());
  return fail(ErrorCode::refused,
              "cannot " + what + " " + path.string() + ": it is a link, or no folder",
              "put what it leads to in its place");
}

Result<std::string> read_all(const FileDescriptor& file, const fs::path& path) {
  std::string content;
  std::array<char, std::size_t{64} * 1024> buffer;
  while (true) {
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return cannot("read", path);
    if (size == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

Result<void> write_all(const FileDescriptor& file, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t size = ::write(file.get(), content.data(), content.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return cannot("write", path);
    content.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

// In order of their changes.
struct Entry {
  std::pair<time_t, long> changed;
  std::string name;
  auto operator<=>(const Entry&) const = default;
};

}  // namespace

Result<ConfinedFolder> ConfinedFolder::open(const fs::path& folder) {
  FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid()) return cannot("open", folder);
  return ConfinedFolder(std::move(opened), folder);
}

Result<ConfinedFolder> ConfinedFolder::enter(const fs::path& below) const {
  return walk(below, Missing::is_error);
}

Result<ConfinedFolder> ConfinedFolder::make(const fs::path& below) const {
  return walk(below, Missing::is_made);
}

Result<ConfinedFolder> ConfinedFolder::walk(const fs::path& below, Missing missing) const {
  auto reached = step(".", Missing::is_error);
  for (const fs::path& part : below.lexically_normal()) {
    if (!reached) break;
    if (part.empty() || part == ".") continue;  // "a/" ends with an empty one
    if (part == ".." || part.is_absolute()) {
      return fail(ErrorCode::invalid, below.string() + " leaves " + path_.string(),
                  "name what is below it");
    }
    reached = reached->step(part.string(), missing);
  }
  return reached;
}

Result<ConfinedFolder> ConfinedFolder::step(const std::string& name, Missing missing) const {
  const fs::path path = name == "." ? path_ : path_ / name;
  const bool is_made = missing == Missing::is_made;
  if (is_made && ::mkdirat(folder_.get(), name.c_str(), 0777) != 0 && errno != EEXIST) {
    return cannot("make", path);
  }
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  FileDescriptor next(::openat(folder_.get(), name.c_str(), flags));
  if (!next.valid()) return cannot("open", path);
  return ConfinedFolder(std::move(next), path);
}

Result<std::string> ConfinedFolder::read(const fs::path& file) const {
  auto parent = enter(file.parent_path());
  if (!parent) return std::unexpected(parent.error());
  const std::string name = file.filename().string();
  // A pipe in its place would make us wait for who writes it.
  constexpr int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  const FileDescriptor opened(::openat(parent->folder_.get(), name.c_str(), flags));
  if (!opened.valid()) return cannot("read", path_ / file);
  return read_all(opened, path_ / file);
}

// 1. write it beside its place, under a name that nobody has  2. sync  3. rename  4. sync the name
Result<void> ConfinedFolder::write(const fs::path& file, std::string_view content,
                                   mode_t mode) const {
  auto parent = make(file.parent_path());
  if (!parent) return std::unexpected(parent.error());
  const int folder = parent->folder_.get();
  const std::string name = file.filename().string();
  const std::string fresh = name + ".new";
  (void)::unlinkat(folder, fresh.c_str(), 0);  // of one that was cut off
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const FileDescriptor to(::openat(folder, fresh.c_str(), flags, S_IRUSR | S_IWUSR));
  if (!to.valid()) return cannot("write", path_ / file);
  if (auto written = write_all(to, content, path_ / file); !written) return written;
  const bool is_done = ::fchmod(to.get(), mode) == 0 && ::fsync(to.get()) == 0 &&
                       ::renameat(folder, fresh.c_str(), folder, name.c_str()) == 0 &&
                       ::fsync(folder) == 0;
  if (!is_done) return cannot("write", path_ / file);
  return {};
}

Result<void> ConfinedFolder::remove(const fs::path& file) const {
  auto parent = enter(file.parent_path());
  if (!parent && parent.error().code == ErrorCode::not_found) return {};
  if (!parent) return std::unexpected(parent.error());
  const std::string name = file.filename().string();
  const bool is_gone = ::unlinkat(parent->folder_.get(), name.c_str(), 0) == 0 || errno == ENOENT;
  if (!is_gone) return cannot("remove", path_ / file);
  return {};
}

Result<std::vector<std::string>> ConfinedFolder::names() const {
  const int opened = ::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* list = opened < 0 ? nullptr : ::fdopendir(opened);
  if (list == nullptr) return cannot("list", path_);
  std::vector<Entry> entries;
  while (const dirent* entry = ::readdir(list)) {
    const std::string name = entry->d_name;
    struct stat status{};
    const bool is_there = ::fstatat(folder_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (name == "." || name == ".." || !is_there) continue;
    entries.push_back({{status.st_mtim.tv_sec, status.st_mtim.tv_nsec}, name});
  }
  ::closedir(list);
  std::ranges::sort(entries);
  std::vector<std::string> names;
  for (Entry& entry : entries) names.push_back(std::move(entry.name));
  return names;
}

}  // namespace almanac
