#include <almanac/snapshots/follow_beat.h>

#include <almanac/log/file.h>
#include <almanac/snapshots/whole_file.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr const char* beats_folder = "followed";

fs::path beat_file(const Repository& repository, const Timeline& timeline) {
  return repository.folder() / beats_folder / to_hex(timeline);
}

timespec as_timespec(Time time) {
  const auto micros = time.time_since_epoch().count();
  return {.tv_sec = micros / 1'000'000, .tv_nsec = micros % 1'000'000 * 1'000};
}

}  // namespace

Result<void> begin_beats(const Repository& repository, const Timeline& timeline) {
  const fs::path path = beat_file(repository, timeline);
  if (auto made = make_folder(path.parent_path()); !made) return made;
  const FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  return file.valid() ? Result<void>() : fail_errno(errno, "create " + path.string());
}

Result<void> beat(const Repository& repository, const Timeline& timeline, Time now) {
  const fs::path path = beat_file(repository, timeline);
  const std::array<timespec, 2> times = {as_timespec(now), as_timespec(now)};
  if (::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0) return {};
  if (errno == ENOENT) return fail(ErrorCode::not_found, "there is no " + path.string());
  return fail_errno(errno, "set the time of " + path.string());
}

std::optional<Time> last_beat(const Repository& repository, const Timeline& timeline) {
  struct stat status{};
  if (::lstat(beat_file(repository, timeline).c_str(), &status) != 0) return std::nullopt;
  return Time(Duration(status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1'000));
}

}  // namespace almanac
