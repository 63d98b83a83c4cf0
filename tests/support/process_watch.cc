#include <almanac/tests/support/process_watch.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>

namespace almanac::test {
namespace {

constexpr std::chrono::milliseconds watch_patience = std::chrono::minutes(1);

bool is_readable(int descriptor, std::chrono::milliseconds wait) {
  pollfd entry{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, static_cast<int>(wait.count())) == 1;
}

}  // namespace

NamedPipe::NamedPipe(std::filesystem::path path) : path_(path.string()) {
  EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  pipe_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_TRUE(pipe_.valid());
}

std::string NamedPipe::read_line() {
  std::string line;
  while (is_readable(pipe_.get(), watch_patience)) {
    char c = 0;
    if (::read(pipe_.get(), &c, 1) != 1) break;
    if (c == '\n') return line;
    line += c;
  }
  ADD_FAILURE() << "nobody wrote a line to " << path_;
  return {};
}

ProcessWatch::ProcessWatch(pid_t process)
    : handle_(static_cast<int>(::syscall(SYS_pidfd_open, process, 0))) {
  EXPECT_TRUE(handle_.valid()) << "there is no process " << process;
}

bool ProcessWatch::is_alive() const {
  return !is_readable(handle_.get(), std::chrono::milliseconds(0));
}

bool ProcessWatch::ends() const { return is_readable(handle_.get(), watch_patience); }

}  // namespace almanac::test
