#include <almanac/engine/component_command.h>

#include <almanac/engine/guard.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/sessions.h>
#include <almanac/engine/spawn.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace almanac {
namespace {

using Clock = std::chrono::steady_clock;

// The beginning, where a build says what it is, and the end, where it says what was wrong.
class BoundedText {
 public:
  void add(std::string_view text) {
    const std::size_t room = half - std::min(half, head_.size());
    head_ += text.substr(0, room);
    tail_ += text.substr(std::min(room, text.size()));
    if (tail_.size() <= 2 * half) return;
    dropped_ += tail_.size() - half;
    tail_.erase(0, tail_.size() - half);
  }
  [[nodiscard]] std::string take() {
    if (tail_.size() > half) {
      dropped_ += tail_.size() - half;
      tail_.erase(0, tail_.size() - half);
    }
    if (dropped_ > 0) head_ += "\n… " + std::to_string(dropped_) + " bytes left out …\n";
    return std::move(head_) + tail_;
  }

 private:
  static constexpr std::size_t half = limits::component_output_bytes_max / 2;
  std::string head_;
  std::string tail_;
  std::size_t dropped_ = 0;
};

// Whether more may come.
bool read_all(int descriptor, BoundedText& to) {
  std::array<char, 16 * limits::kibibyte> buffer;
  while (true) {
    const auto size = ::read(descriptor, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN;
    if (size == 0) return false;
    to.add({buffer.data(), static_cast<std::size_t>(size)});
  }
}

// Readable once we are told to stop.
class StopEvent {
 public:
  explicit StopEvent(const std::stop_token& stop)
      : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), told_(stop, Tell{event_.get()}) {}
  [[nodiscard]] int descriptor() const { return event_.get(); }

 private:
  struct Tell {
    int event;
    void operator()() const {
      const std::uint64_t one = 1;
      ALMANAC_CHECK(::write(event, &one, sizeof(one)) == sizeof(one));
    }
  };
  FileDescriptor event_;
  std::stop_callback<Tell> told_;
};

int poll_wait(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

// Listens until it has ended, is late, or is to be stopped; what it says then is all it says.
void listen(const Spawned& spawned, const CommandRun& run, Clock::time_point deadline,
            CommandEnd& end, BoundedText& output) {
  const StopEvent stop(run.stop);
  std::array<pollfd, 3> watched = {pollfd{spawned.handle.get(), POLLIN, 0},
                                   pollfd{stop.descriptor(), POLLIN, 0},
                                   pollfd{spawned.output.get(), POLLIN, 0}};
  while (true) {
    const int ready = ::poll(watched.data(), watched.size(), poll_wait(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (watched[2].revents != 0 && !read_all(spawned.output.get(), output)) watched[2].fd = -1;
    if (watched[0].revents != 0) return;
    end.stopped = watched[1].revents != 0;
    end.timed_out = !end.stopped && Clock::now() >= deadline;
    if (end.stopped || end.timed_out) return;
  }
}

// 1. kill all it has started, its number still taken  2. see how it ended  3. tell the guard, and
// give the number back
void reap(const Spawned& spawned, const CommandRun& run, CommandEnd& end) {
  const pid_t leader = spawned.process;
  if (end.stopped || end.timed_out) ::kill(-leader, SIGKILL);
  (void)wait_for(spawned.handle, WEXITED | WNOWAIT);
  kill_sessions(std::array{leader});
  forget(run.guard_socket, leader);
  const siginfo_t info = wait_for(spawned.handle, WEXITED);
  if (info.si_code == CLD_EXITED) end.exit_code = info.si_status;
  if (info.si_code != CLD_EXITED) end.signal = info.si_status;
}

std::string path_of(const std::filesystem::path& folder) {
  const char* path = std::getenv("PATH");
  return (folder / component_folder / "bin").string() + ":" +
         (path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
}

}  // namespace

std::string describe(const CommandEnd& end) {
  if (end.not_started) return describe(*end.not_started);
  if (end.stopped) return "it was stopped";
  if (end.timed_out) {
    const auto took = std::chrono::duration_cast<std::chrono::seconds>(end.took);
    return "it was ended after " + std::to_string(took.count()) + " s";
  }
  return describe_end(end.exit_code, end.signal);
}

CommandEnd run(const ComponentCommand& command, const CommandRun& run) {
  CommandEnd end;
  const auto began = Clock::now();
  const FileDescriptor null_device(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto spawned = spawn({.arguments = command,
                        .environment = run.environment,
                        .working_folder = run.folder.string(),
                        .null_device = null_device.get(),
                        .guard_socket = run.guard_socket});
  if (!spawned) {
    end.not_started = spawned.error();
    return end;
  }
  BoundedText output;
  listen(*spawned, run, began + run.timeout, end, output);
  reap(*spawned, run, end);
  read_all(spawned->output.get(), output);
  end.output = output.take();
  end.took = std::chrono::duration_cast<Duration>(Clock::now() - began);
  return end;
}

std::vector<std::string> component_environment(const std::filesystem::path& folder) {
  auto environment = environment_of({"LANG", "LC_ALL", "TZ", "RUSTUP_HOME"});
  environment.push_back("PATH=" + path_of(folder));
  // Where cargo's own launcher finds the toolchains; it is only read.
  const char* home = std::getenv("HOME");
  if (home != nullptr && std::getenv("RUSTUP_HOME") == nullptr) {
    environment.push_back("RUSTUP_HOME=" + std::string(home) + "/.rustup");
  }
  // What is a link could lead out of the folder.
  const auto kept = folder / component_folder;
  std::error_code error;
  const std::string own = (std::filesystem::is_symlink(kept, error) ? folder : kept).string();
  for (const char* name : {"HOME", "TMPDIR"}) environment.push_back(name + ("=" + own));
  return environment;
}

std::filesystem::path find_program(const std::filesystem::path& folder, const std::string& name) {
  const std::string all = path_of(folder);
  std::string_view path = all;
  while (!path.empty()) {
    const auto end = std::min(path.find(':'), path.size());
    const auto candidate = std::filesystem::path(path.substr(0, end)) / name;
    if (candidate.is_absolute() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return {};
}

}  // namespace almanac
