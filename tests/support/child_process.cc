#include <almanac/tests/support/child_process.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

extern char** environ;

namespace almanac::test {
namespace {

std::pair<FileDescriptor, FileDescriptor> make_pipe() {
  std::array<int, 2> ends{};
  ALMANAC_CHECK(::pipe2(ends.data(), O_CLOEXEC) == 0);
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

pid_t spawn(const std::vector<std::string>& arguments, int input, int output) {
  std::vector<char*> raw;
  for (const auto& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t id = 0;
  int failed = ::posix_spawn(&id, raw[0], &actions, nullptr, raw.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ALMANAC_CHECK(failed == 0);
  return id;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments) {
  ::signal(SIGPIPE, SIG_IGN);
  auto [child_input, input] = make_pipe();
  auto [output, child_output] = make_pipe();
  id_ = spawn(arguments, child_input.get(), child_output.get());
  input_ = std::move(input);
  output_ = std::move(output);
}

ChildProcess::~ChildProcess() {
  if (id_ == 0) return;
  kill(SIGKILL);
  wait();
}

std::string ChildProcess::read_line() {
  for (;;) {
    if (auto end = unread_.find('\n'); end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    std::array<char, 4096> part;
    auto size = ::read(output_.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return "(end)";
    unread_.append(part.data(), static_cast<std::size_t>(size));
  }
}

std::string ChildProcess::ask(std::string_view line) {
  std::string text = std::string(line) + '\n';
  auto written = ::write(input_.get(), text.data(), text.size());
  return written == static_cast<ssize_t>(text.size()) ? read_line() : "(end)";
}

void ChildProcess::kill(int signal) { ::kill(id_, signal); }

int ChildProcess::wait() {
  input_ = FileDescriptor();
  int status = 0;
  ALMANAC_CHECK(::waitpid(id_, &status, 0) == id_);
  id_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace almanac::test
