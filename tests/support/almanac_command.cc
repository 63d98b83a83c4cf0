#include <almanac/tests/support/almanac_command.h>

#include <almanac/tests/support/file_bytes.h>

#include <fcntl.h>
#include <grp.h>
#include <pty.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

extern char** environ;

namespace almanac::test {
namespace {

constexpr uid_t nobody = 65'534;
constexpr int not_started = 126;

// Everything the child needs, made before the fork.
class StartedCommand {
 public:
  explicit StartedCommand(const Invocation& invocation)
      : invocation_(invocation), program_(::open(almanac_path().c_str(), O_RDONLY | O_CLOEXEC)) {
    ALMANAC_CHECK(program_.valid());
    words_.push_back("almanac");
    words_.insert(words_.end(), invocation.arguments.begin(), invocation.arguments.end());
    for (char** variable = environ; *variable != nullptr; ++variable) {
      const std::string_view text(*variable);
      const std::string name(text.substr(0, text.find('=')));
      const bool is_replaced = name == "ALMANAC_DIR" || invocation.environment.contains(name);
      if (!is_replaced) variables_.emplace_back(*variable);
    }
    for (const auto& [name, value] : invocation.environment) {
      variables_.push_back(name + "=" + value);
    }
    words_view_ = view(words_);
    variables_view_ = view(variables_);
  }

  // In the child. The program was opened before: it may lie where nobody else may look.
  [[noreturn]] void become() {
    if (::chdir(invocation_.folder.c_str()) != 0) ::_exit(not_started);
    ::signal(SIGPIPE, SIG_DFL);
    if (invocation_.in_child) invocation_.in_child();
    ::fexecve(program_.get(), words_view_.data(), variables_view_.data());
    ::_exit(not_started);
  }

 private:
  static std::vector<char*> view(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (auto& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  const Invocation& invocation_;
  FileDescriptor program_;
  std::vector<std::string> words_;
  std::vector<std::string> variables_;
  std::vector<char*> words_view_;
  std::vector<char*> variables_view_;
};

FileDescriptor memory_file(std::string_view content = {}) {
  FileDescriptor file(::memfd_create("almanac-test", MFD_CLOEXEC));
  ALMANAC_CHECK(file.valid());
  auto written = ::write(file.get(), content.data(), content.size());
  ALMANAC_CHECK(written == static_cast<ssize_t>(content.size()));
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string content_of(const FileDescriptor& file) {
  std::string content(static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END)), '\0');
  auto size = ::pread(file.get(), content.data(), content.size(), 0);
  ALMANAC_CHECK(size == static_cast<ssize_t>(content.size()));
  return content;
}

int wait_for(pid_t process) {
  int status = 0;
  ALMANAC_CHECK(::waitpid(process, &status, 0) == process);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

std::string almanac_path() {
  const char* path = std::getenv("ALMANAC_BIN");
  return path != nullptr ? path : program_path("almanac").string();
}

CommandOutput run_almanac(const Invocation& invocation) {
  StartedCommand command(invocation);
  auto input = memory_file(invocation.input);
  auto output = memory_file();
  auto errors = memory_file();
  pid_t process = ::fork();
  ALMANAC_CHECK(process >= 0);
  if (process == 0) {
    ::dup2(input.get(), STDIN_FILENO);
    ::dup2(output.get(), STDOUT_FILENO);
    ::dup2(errors.get(), STDERR_FILENO);
    command.become();
  }
  return {wait_for(process), content_of(output), content_of(errors)};
}

void Terminal::type(std::string_view text) const {
  ALMANAC_CHECK(::write(keys.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

CommandOutput run_on_terminal(const Invocation& invocation, std::size_t columns, const Seen& seen) {
  StartedCommand command(invocation);
  winsize size{
      .ws_row = 24, .ws_col = static_cast<unsigned short>(columns), .ws_xpixel = 0, .ws_ypixel = 0};
  int descriptor = -1;
  pid_t process = ::forkpty(&descriptor, nullptr, nullptr, &size);
  ALMANAC_CHECK(process >= 0);
  if (process == 0) command.become();
  FileDescriptor terminal(descriptor);
  std::string text;
  std::array<char, 4096> part;
  for (;;) {  // to EIO: nobody has the other side open any more
    auto count = ::read(terminal.get(), part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(part.data(), static_cast<std::size_t>(count));
    if (seen) seen(text, {.keys = terminal, .process = process});
  }
  termios mode{};
  ALMANAC_CHECK(::tcgetattr(terminal.get(), &mode) == 0);
  constexpr tcflag_t usual = ICANON | ECHO;
  return {wait_for(process), std::move(text), {}, (mode.c_lflag & usual) == usual};
}

void become_nobody() {
  if (::geteuid() != 0) return;
  bool done = ::setgroups(0, nullptr) == 0 && ::setgid(nobody) == 0 && ::setuid(nobody) == 0;
  if (!done) ::_exit(not_started);
}

std::function<void()> files_end_after(std::size_t pages, void (*on_excess)(int)) {
  return [=] {
    const rlimit limit{.rlim_cur = pages * 4096, .rlim_max = RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, on_excess);
  };
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    auto end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace almanac::test
