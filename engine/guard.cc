#include <almanac/engine/guard.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/sessions.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <span>
#include <utility>

namespace almanac {
namespace {

// Twice the commands that can run at once: some may have ended without word of it yet.
constexpr std::size_t groups_max = 2 * limits::slots_max;

// Everything below runs in the forked child: no allocation, no lock, system calls only.
struct ProcessGroups {
  std::array<pid_t, groups_max> items{};
  std::size_t size = 0;

  void add(pid_t group) {
    if (size < items.size()) items[size++] = group;
  }
  void remove(pid_t group) {
    for (std::size_t i = 0; i < size; ++i) {
      if (items[i] == group) {
        items[i] = items[--size];
        return;
      }
    }
  }
};

[[noreturn]] void guard(int socket) {
  static ProcessGroups groups;
  GuardMessage message;
  while (true) {
    auto size = ::recv(socket, &message, sizeof(message), 0);
    if (size == sizeof(message)) {
      message.running ? groups.add(message.group) : groups.remove(message.group);
      continue;
    }
    if (size < 0 && errno == EINTR) continue;
    break;
  }
  kill_sessions(std::span(groups.items).first(groups.size));
  ::_exit(0);
}

// The signals of the terminal are the engine's business, and what the engine holds open (locks,
// the log) must not stay open here.
void leave_engine(int keep) {
  ::setsid();
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT}) ::signal(signal, SIG_IGN);
  ::prctl(PR_SET_NAME, "almanac-guard");
  auto kept = static_cast<unsigned>(keep);
  if (kept > 0) ::close_range(0, kept - 1, 0);
  ::close_range(kept + 1, ~0U, 0);
}

}  // namespace

Result<Guard> Guard::start() {
  std::array<int, 2> pair;
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail_errno(errno, "make a socket for the guard process");
  }
  FileDescriptor mine(pair[0]);
  FileDescriptor other(pair[1]);
  pid_t process = ::fork();
  if (process < 0) return fail_errno(errno, "start the guard process");
  if (process == 0) {
    leave_engine(other.get());
    guard(other.get());
  }
  return Guard(std::move(mine), process);
}

Guard::Guard(Guard&& other) noexcept
    : socket_(std::move(other.socket_)), process_(std::exchange(other.process_, -1)) {}

Guard::~Guard() {
  if (process_ < 0) return;
  ::shutdown(socket_.get(), SHUT_RDWR);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {}
}

void forget(int guard_socket, pid_t group) {
  if (guard_socket < 0) return;
  GuardMessage message{.group = group, .running = false};
  (void)::send(guard_socket, &message, sizeof(message), MSG_NOSIGNAL);
}

}  // namespace almanac
