#include <almanac/tests/support/killable_run.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <utility>

extern char** environ;

namespace almanac::test {
namespace {

// Far above the longest wait of any workload here, also in a sanitizer's build.
constexpr auto stall_limit = std::chrono::seconds(60);

constexpr const char* log_folder_name = "log";
constexpr const char* log_file_name = "data.mdb";
// LMDB ends every commit by writing one of two heads, in turn: the first two pages of the file.
constexpr std::size_t heads_bytes = 2 * 4096;

pid_t spawn(const std::vector<std::string>& command, int output) {
  std::vector<char*> raw;
  for (const auto& argument : command) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t process = 0;
  int failed = ::posix_spawn(&process, raw[0], &actions, nullptr, raw.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ALMANAC_CHECK(failed == 0);
  return process;
}

// A new log appears in the folder under its name when it is whole.
FileDescriptor watch(const std::filesystem::path& folder) {
  FileDescriptor watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  ALMANAC_CHECK(watch.valid());
  bool there = ::inotify_add_watch(watch.get(), folder.c_str(), IN_MOVED_TO) >= 0;
  return there ? std::move(watch) : FileDescriptor();
}

}  // namespace

std::string describe(const KillMoment& moment) {
  using After = KillMoment::After;
  auto delay = std::to_string(moment.delay.count()) + " µs after ";
  auto count = std::to_string(moment.count);
  switch (moment.after) {
    case After::start: return delay + "its start";
    case After::line: return delay + "line " + count;
    case After::log_write: return delay + "write " + count + " to the log";
    case After::commit: return delay + "commit " + count;
  }
  return delay + "what?";
}

KillableRun::KillableRun(const std::vector<std::string>& command,
                         const std::filesystem::path& folder, OnLine on_line)
    : on_line_(std::move(on_line)),
      log_folder_(folder / log_folder_name),
      watch_(watch(folder)),
      heads_(read_heads()) {
  watch_log();
  std::array<int, 2> ends{};
  ALMANAC_CHECK(::pipe2(ends.data(), O_CLOEXEC) == 0);
  output_ = FileDescriptor(ends[0]);
  FileDescriptor child_output(ends[1]);
  ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  started_ = Clock::now();
  process_ = spawn(command, child_output.get());
}

KillableRun::End KillableRun::kill_at(std::optional<KillMoment> moment) {
  std::optional<Clock::time_point> deadline;
  while (true) {
    if (moment && !deadline) deadline = deadline_of(*moment);
    if (!wait_until(deadline.value_or(Clock::now() + stall_limit))) break;
    count_log_writes();
    if (!read_lines()) return End::by_itself;
  }
  ::kill(process_, SIGKILL);
  return deadline ? End::killed : End::stalled;
}

// When the moment comes, once that is known.
std::optional<KillableRun::Clock::time_point> KillableRun::deadline_of(
    const KillMoment& moment) const {
  using After = KillMoment::After;
  if (moment.after == After::start) return started_ + moment.delay;
  if (moment.after != After::line && !watch_.valid()) return started_ + moment.delay;
  auto seen = moment.after == After::line        ? lines_
              : moment.after == After::log_write ? log_writes_
                                                 : commits_;
  if (seen < moment.count) return std::nullopt;
  return Clock::now() + moment.delay;
}

// Until there is something to read, or, with false, until the deadline.
bool KillableRun::wait_until(Clock::time_point deadline) {
  std::array<pollfd, 2> waiting = {pollfd{.fd = output_.get(), .events = POLLIN, .revents = 0},
                                   pollfd{.fd = watch_.get(), .events = POLLIN, .revents = 0}};
  auto left = deadline - Clock::now();
  if (left.count() <= 0) return false;
  auto seconds = std::chrono::floor<std::chrono::seconds>(left);
  timespec limit{seconds.count(), (left - seconds).count()};
  return ::ppoll(waiting.data(), waiting.size(), &limit, nullptr) != 0;
}

void KillableRun::watch_log() {
  if (watch_.valid()) (void)::inotify_add_watch(watch_.get(), log_folder_.c_str(), IN_MODIFY);
}

void KillableRun::count_log_writes() {
  if (!watch_.valid()) return;
  alignas(inotify_event) std::array<char, 4096> buffer;
  auto size = ::read(watch_.get(), buffer.data(), buffer.size());
  for (ssize_t at = 0; at < size;) {
    const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
    std::string_view name = event->len > 0 ? event->name : "";
    if (name == log_folder_name) watch_log();
    if (name == log_file_name) ++log_writes_;
    at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
  }
  if (size > 0 && std::exchange(heads_, read_heads()) != heads_) ++commits_;
}

std::string KillableRun::read_heads() const {
  std::string heads(heads_bytes, '\0');
  std::ifstream file(log_folder_ / log_file_name, std::ios::binary);
  file.read(heads.data(), static_cast<std::streamsize>(heads.size()));
  return heads;
}

// False once its output is closed.
bool KillableRun::read_lines() {
  while (!closed_) {
    std::array<char, 64 * 1024> part;
    auto size = ::read(output_.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    ALMANAC_CHECK(size >= 0);
    closed_ = size == 0;
    unread_.append(part.data(), static_cast<std::size_t>(size));
  }
  std::size_t begin = 0;
  for (auto end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n', begin)) {
    if (lines_++ == 0) first_line_ = Clock::now();
    on_line_(unread_.substr(begin, end - begin));
    begin = end + 1;
  }
  unread_.erase(0, begin);
  return !closed_;
}

void KillableRun::read_rest() { (void)read_lines(); }

std::optional<std::chrono::microseconds> KillableRun::first_line_after() const {
  if (!first_line_) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::microseconds>(*first_line_ - started_);
}

}  // namespace almanac::test
