#include <almanac/tests/support/small_disk.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

namespace almanac::test {
namespace {

bool write_text(const char* path, const std::string& text) {
  FileDescriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  auto written = ::write(file.get(), text.data(), text.size());
  return written == static_cast<ssize_t>(text.size());
}

// Root may mount without a namespace of users, others are root in theirs.
bool enter_namespace() {
  auto user = ::geteuid();
  auto group = ::getegid();
  if (user == 0) return ::unshare(CLONE_NEWNS) == 0;
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
         write_text("/proc/self/setgroups", "deny") &&
         write_text("/proc/self/uid_map", "0 " + std::to_string(user) + " 1") &&
         write_text("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
}

// The holder's whole life: says when the disk is there, and ends when nobody wants it any more.
[[noreturn]] void hold(int socket, const std::string& mount_point, const std::string& size) {
  bool there = enter_namespace() &&
               ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
               ::mount("tmpfs", mount_point.c_str(), "tmpfs", 0, size.c_str()) == 0;
  char word = there ? 'y' : 'n';
  (void)!::write(socket, &word, 1);
  (void)!::read(socket, &word, 1);
  ::_exit(0);
}

}  // namespace

SmallDisk::SmallDisk(const std::filesystem::path& mount_point, std::size_t bytes) {
  std::array<int, 2> ends{};
  ALMANAC_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  hold_ = FileDescriptor(ends[0]);
  FileDescriptor other(ends[1]);
  auto size = "mode=777,size=" + std::to_string(bytes);
  auto where = mount_point.string();
  holder_ = ::fork();
  ALMANAC_CHECK(holder_ >= 0);
  if (holder_ == 0) {
    hold_ = FileDescriptor();
    hold(other.get(), where, size);
  }
  char word = 'n';
  ALMANAC_CHECK(::read(hold_.get(), &word, 1) == 1);
  ALMANAC_CHECK(word == 'y' && "this system lets nobody mount a tmpfs in a namespace");
  path_ = "/proc/" + std::to_string(holder_) + "/root" + where;
}

SmallDisk::~SmallDisk() {
  hold_ = FileDescriptor();
  ::waitpid(holder_, nullptr, 0);
}

void SmallDisk::fill() const {
  static constexpr std::array<char, 4096> block{};
  auto path = path_ / "filler";
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  ALMANAC_CHECK(file.valid());
  while (::write(file.get(), block.data(), block.size()) > 0) continue;
  ALMANAC_CHECK(errno == ENOSPC);
}

void SmallDisk::make_room() const { std::filesystem::remove(path_ / "filler"); }

}  // namespace almanac::test
