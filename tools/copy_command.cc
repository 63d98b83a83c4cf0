#include <almanac/tools/copy_command.h>

#include <almanac/tools/text.h>

#include <almanac/snapshots/whole_file.h>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view record_head = "almanac copied files, format 1\n";
constexpr const char* copied_files = "files";
constexpr int look_interval_ms = 100;
constexpr std::size_t output_shown_max = 2'000;

std::string replaced(std::string word, std::string_view what, const std::string& by) {
  for (auto at = word.find(what); at != word.npos; at = word.find(what, at + by.size())) {
    word.replace(at, what.size(), by);
  }
  return word;
}

// With nothing to read, its output in a file, and the signals as a program expects them.
Result<pid_t> spawn(std::vector<std::string> words, int output) {
  std::vector<char*> raw;
  for (std::string& word : words) raw.push_back(word.data());
  raw.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t piping;
  ::sigemptyset(&none);
  ::sigemptyset(&piping);
  ::sigaddset(&piping, SIGPIPE);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &piping);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t process = 0;
  const int failed = ::posix_spawnp(&process, raw[0], &files, &attributes, raw.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (failed == 0) return process;
  return fail(ErrorCode::invalid, "cannot run " + words[0] + ": " + std::strerror(failed),
              "--command names a program and its arguments, split at spaces, without a shell");
}

// Its status, once it has ended; told to stop, it and what it has started are told as well.
int wait_for(pid_t process, const std::stop_token& stop) {
  const FileDescriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  pollfd ended{.fd = handle.get(), .events = POLLIN, .revents = 0};
  bool told = false;
  while (handle.valid() && ::poll(&ended, 1, look_interval_ms) <= 0) {
    if (stop.stop_requested() && !std::exchange(told, true)) ::kill(-process, SIGTERM);
  }
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {}
  return status;
}

// The end of what it said.
std::string said(int output) {
  const auto size = ::lseek(output, 0, SEEK_END);
  const auto begin = std::max<off_t>(0, size - static_cast<off_t>(output_shown_max));
  std::string text(static_cast<std::size_t>(size - begin), ' ');
  const auto read = ::pread(output, text.data(), text.size(), begin);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(read, 0)));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return printable(text);
}

Result<void> run(const std::vector<std::string>& words, const std::stop_token& stop) {
  const FileDescriptor output(::memfd_create("almanac-copy", MFD_CLOEXEC));
  if (!output.valid()) return fail_errno(errno, "keep what a command says");
  auto process = spawn(words, output.get());
  if (!process) return std::unexpected(process.error());
  const int status = wait_for(*process, stop);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (stop.stop_requested()) return fail(ErrorCode::stopped, "the copy was stopped");
  const std::string how = WIFEXITED(status)
                              ? fmt::format("ended with exit code {}", WEXITSTATUS(status))
                              : fmt::format("was ended by signal {}", WTERMSIG(status));
  const std::string text = said(output.get());
  return fail(ErrorCode::io, words[0] + " " + how + (text.empty() ? "" : ": " + text));
}

}  // namespace

Result<CommandCopy> CommandCopy::open(const std::string& command, const fs::path& record,
                                      std::stop_token stop) {
  std::istringstream stream(command);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  if (command.find("{file}") == command.npos) {
    return fail(ErrorCode::invalid, "--command does not say where the file's name belongs",
                "write {file}, as in \"rclone copyto {file} remote:backup/{name}\"");
  }
  if (auto made = make_folder(record); !made) return std::unexpected(made.error());
  auto lock = WriteLock::take(record, "record of copied files");
  if (!lock) return std::unexpected(lock.error());
  CommandCopy copy(std::move(words), record, std::move(*lock), std::move(stop));
  if (auto read = copy.read_record(); !read) return std::unexpected(read.error());
  return copy;
}

Result<void> CommandCopy::read_record() {
  const fs::path path = record_ / copied_files;
  auto bytes = read_whole_file(path);
  if (!bytes && bytes.error().code == ErrorCode::not_found) return {};
  if (!bytes) return std::unexpected(bytes.error());
  const std::string text(as_text(*bytes));
  const auto corrupt = fail(ErrorCode::corrupt, path.string() + " is no record of copied files",
                            "remove it, and everything is copied again");
  if (!text.starts_with(record_head)) return corrupt;
  std::istringstream lines(text.substr(record_head.size()));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    FileRecord record;
    std::string digest;
    std::string name;
    if (!(words >> record.bytes >> digest >> name) || !from_hex(digest, record.digest)) {
      return corrupt;
    }
    copied_[name] = record;
  }
  return {};
}

Result<void> CommandCopy::write_record() const {
  std::string text(record_head);
  for (const auto& [name, record] : copied_) {
    text += fmt::format("{} {} {}\n", record.bytes, to_hex(record.digest), name);
  }
  const std::array<Bytes, 1> pieces = {as_bytes(text)};
  return write_whole_file(record_ / copied_files, pieces);
}

Result<std::vector<std::string>> CommandCopy::names() {
  std::vector<std::string> names;
  for (const auto& [name, record] : copied_) names.push_back(name);
  return names;
}

bool CommandCopy::has(const CopyFile& file) {
  const auto found = copied_.find(file.name);
  return found != copied_.end() && found->second == file.record;
}

Result<void> CommandCopy::put(const CopyFile& file) {
  if (!fs::exists(file.path)) {
    return fail(ErrorCode::not_found, "there is no " + file.path.string());
  }
  std::vector<std::string> words;
  for (const std::string& word : command_) {
    words.push_back(replaced(replaced(word, "{file}", file.path.string()), "{name}", file.name));
  }
  if (auto copied = run(words, stop_); !copied) {
    // The repository may have done without it meanwhile.
    if (copied.error().code == ErrorCode::io && !fs::exists(file.path)) {
      copied.error().code = ErrorCode::not_found;
    }
    return copied;
  }
  copied_[file.name] = file.record;
  return write_record();
}

Result<void> CommandCopy::remove(const std::string& name) {
  copied_.erase(name);
  return write_record();
}

}  // namespace almanac
