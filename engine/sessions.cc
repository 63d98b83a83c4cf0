#include <almanac/engine/sessions.h>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace almanac {
namespace {

// What is dying cannot start anything more, yet it may take long to be gone: no reason to wait.
constexpr int looks_max = 3;

// What getdents64() fills its buffer with, see man 2 getdents.
struct DirectoryEntry {
  std::uint64_t number;
  std::int64_t offset;
  unsigned short size;
  unsigned char type;
  char name[1];  // and the rest, ended by a zero byte
};

pid_t to_number(std::string_view text) {
  pid_t number = 0;
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? number : 0;
}

// The session of a process, 0 when it is a zombie or gone. /proc/N/stat reads "N (NAME) STATE
// PARENT GROUP SESSION …", and the name may hold anything.
pid_t session_of(int proc, const char* process) {
  std::array<char, 64> path;
  auto length = std::strlen(process);
  constexpr std::string_view file = "/stat";
  if (length + file.size() >= path.size()) return 0;
  std::memcpy(path.data(), process, length);
  std::memcpy(path.data() + length, file.data(), file.size());
  path[length + file.size()] = '\0';
  int descriptor = ::openat(proc, path.data(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  std::array<char, 512> buffer;
  auto size = ::read(descriptor, buffer.data(), buffer.size());
  ::close(descriptor);
  std::string_view text(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos || text.size() < name_end + 3) return 0;
  text.remove_prefix(name_end + 2);
  bool ended = text.front() == 'Z' || text.front() == 'X';
  for (int field = 0; field < 3; ++field) {
    text.remove_prefix(std::min(text.find(' '), text.size() - 1) + 1);
  }
  return ended ? 0 : to_number(text.substr(0, text.find(' ')));
}

// Kills the process when it is of one of the sessions. It is held fast first and looked at again,
// so that its number cannot come to mean another one in between.
bool kill_if_of(std::span<const pid_t> sessions, int proc, const char* process) {
  pid_t number = to_number(process);
  if (number == 0 || std::ranges::find(sessions, session_of(proc, process)) == sessions.end()) {
    return false;
  }
  auto handle = static_cast<int>(::syscall(SYS_pidfd_open, number, 0));
  if (handle < 0) return false;
  bool kills = std::ranges::find(sessions, session_of(proc, process)) != sessions.end();
  if (kills) ::syscall(SYS_pidfd_send_signal, handle, SIGKILL, nullptr, 0);
  ::close(handle);
  return kills;
}

// Looks at every process once; whether one was killed.
bool kill_once(std::span<const pid_t> sessions) {
  int proc = ::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0) return false;
  bool killed = false;
  alignas(DirectoryEntry) std::array<char, 16 * 1024> buffer;
  while (true) {
    auto size = ::syscall(SYS_getdents64, proc, buffer.data(), buffer.size());
    if (size <= 0) break;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer.data() + at);
      killed = kill_if_of(sessions, proc, entry->name) || killed;
      at += entry->size;
    }
  }
  ::close(proc);
  return killed;
}

}  // namespace

// What was started behind its back while it looked is found the next time around.
void kill_sessions(std::span<const pid_t> sessions) {
  for (pid_t leader : sessions) ::kill(-leader, SIGKILL);
  if (sessions.empty()) return;
  for (int look = 0; look < looks_max && kill_once(sessions); ++look) {}
}

}  // namespace almanac
