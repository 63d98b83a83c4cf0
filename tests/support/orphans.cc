#include <almanac/tests/support/orphans.h>

#include <almanac/log/error.h>
#include <almanac/log/file.h>

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace almanac::test {
namespace {

using Clock = std::chrono::steady_clock;

// SIGCHLD as something that can be waited for, without a moment in which one is missed.
class ChildSignal {
 public:
  ChildSignal() {
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    ALMANAC_CHECK(::sigprocmask(SIG_BLOCK, &child, &before_) == 0);
    descriptor_ = FileDescriptor(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
    ALMANAC_CHECK(descriptor_.valid());
  }
  ~ChildSignal() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  ChildSignal(const ChildSignal&) = delete;
  ChildSignal& operator=(const ChildSignal&) = delete;

  // Returns at the next signal or when `time` is over.
  void wait(std::chrono::nanoseconds time) const {
    auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    timespec limit{seconds.count(), (time - seconds).count()};
    pollfd waiting{.fd = descriptor_.get(), .events = POLLIN, .revents = 0};
    if (::ppoll(&waiting, 1, &limit, nullptr) <= 0) return;
    signalfd_siginfo taken;
    (void)::read(descriptor_.get(), &taken, sizeof(taken));
  }

 private:
  sigset_t before_;
  FileDescriptor descriptor_;
};

std::string command_line(const std::filesystem::path& process) {
  std::ifstream file(process / "cmdline", std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::ranges::replace(text, '\0', ' ');
  return text;
}

// The fourth field; the second, a name in parentheses, may hold anything.
pid_t parent_of(const std::filesystem::path& process) {
  std::ifstream file(process / "stat");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  auto name_end = text.rfind(')');
  pid_t parent = 0;
  if (name_end == std::string::npos || text.size() < name_end + 4) return 0;
  std::from_chars(text.data() + name_end + 4, text.data() + text.size(), parent);
  return parent;
}

// Kills all children there are and answers what they were.
std::vector<std::string> kill_children() {
  std::vector<std::string> killed;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    auto name = entry.path().filename().string();
    pid_t process = 0;
    auto parsed = std::from_chars(name.data(), name.data() + name.size(), process);
    if (parsed.ec != std::errc() || parent_of(entry.path()) != ::getpid()) continue;
    killed.push_back(name + " " + command_line(entry.path()));
    ::kill(process, SIGKILL);
  }
  return killed;
}

}  // namespace

Orphans::Orphans() { ALMANAC_CHECK(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0); }
Orphans::~Orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }

Orphans::Report Orphans::wait(pid_t parent, std::chrono::milliseconds limit) {
  Report report;
  ALMANAC_CHECK(::waitpid(parent, &report.status, 0) == parent);
  auto begun = Clock::now();
  ChildSignal signal;
  pid_t ended = ::waitpid(-1, nullptr, WNOHANG);
  while (ended > 0) ended = ::waitpid(-1, nullptr, WNOHANG);  // zombies nobody had waited for
  while (ended >= 0) {
    auto passed = Clock::now() - begun;
    if (ended > 0) {
      ++report.count;
      report.outlived = std::chrono::duration_cast<std::chrono::microseconds>(passed);
    } else if (passed < limit) {
      signal.wait(limit - passed);
    } else {
      break;
    }
    ended = ::waitpid(-1, nullptr, WNOHANG);
  }
  while (ended >= 0) {
    auto killed = kill_children();
    std::ranges::move(killed, std::back_inserter(report.survivors));
    for (std::size_t i = 0; i < killed.size() && ended >= 0; ++i) ended = ::waitpid(-1, nullptr, 0);
    if (killed.empty()) break;
  }
  return report;
}

}  // namespace almanac::test
