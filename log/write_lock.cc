#include <almanac/log/write_lock.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>

namespace almanac {
namespace {

constexpr const char* lock_file = "lock";
constexpr std::size_t holder_bytes_max = 200;
constexpr std::chrono::duration<int, std::milli> look_interval{10};

// "process 4711 (almanac run build.toml)", in one line.
std::string describe_self() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string command{std::istreambuf_iterator<char>(file), {}};
  while (!command.empty() && command.back() == '\0') command.pop_back();
  for (char& c : command) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return "process " + std::to_string(::getpid()) + " (" + command.substr(0, holder_bytes_max) + ")";
}

// Whoever is turned away is to read who holds the lock. It is held without that too, as on a full
// disk; then the name of an earlier holder must not stand there.
void sign(int descriptor) {
  const auto self = describe_self();
  const auto size = static_cast<ssize_t>(self.size());
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, self.data(), self.size(), 0) == size) {
    return;
  }
  (void)!::ftruncate(descriptor, 0);
}

std::string read_holder(int descriptor) {
  std::array<char, holder_bytes_max + 64> text;
  auto size = ::pread(descriptor, text.data(), text.size(), 0);
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "another process";
}

// flock cannot be told to give up after a while, so it is asked again.
bool try_flock(int descriptor, int operation, std::chrono::milliseconds wait_max) {
  const auto until = std::chrono::steady_clock::now() + wait_max;
  while (::flock(descriptor, operation | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK || std::chrono::steady_clock::now() >= until) return false;
    (void)::poll(nullptr, 0, look_interval.count());
  }
  return true;
}

Result<FileDescriptor> lock(const std::filesystem::path& folder, int open_flags, int operation,
                            std::string_view what, std::chrono::milliseconds wait_max = {}) {
  auto path = folder / lock_file;
  FileDescriptor file(::open(path.c_str(), open_flags | O_CLOEXEC, 0600));
  if (!file.valid() && errno == ENOENT && (open_flags & O_CREAT) == 0) return file;
  if (!file.valid()) return fail_errno(errno, "open " + path.string());
  if (try_flock(file.get(), operation, wait_max)) return file;
  if (errno != EWOULDBLOCK) return fail_errno(errno, "lock " + path.string());
  return fail(ErrorCode::conflict,
              "the " + std::string(what) + " in " + folder.string() + " is held by " +
                  read_holder(file.get()),
              "wait until it ends, stop it, or use another folder with --dir");
}

}  // namespace

Result<WriteLock> WriteLock::take(const std::filesystem::path& folder, std::string_view what,
                                  std::chrono::milliseconds wait_max) {
  auto file = lock(folder, O_RDWR | O_CREAT, LOCK_EX, what, wait_max);
  if (!file) return std::unexpected(file.error());
  sign(file->get());
  return WriteLock(std::move(*file));
}

Result<WriteLock> WriteLock::share(const std::filesystem::path& folder) {
  auto file = lock(folder, O_RDONLY, LOCK_SH, "log");
  if (!file) return std::unexpected(file.error());
  return WriteLock(std::move(*file));
}

}  // namespace almanac
