#include <almanac/engine/spawn.h>

#include <almanac/engine/guard.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

// The thread sanitizer takes every clone() for a fork and follows the calling thread no longer: its
// last releases are lost and what comes after them looks like a race. By its other name the C
// library's function is not seen.
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define ALMANAC_THREAD_SANITIZER
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(ALMANAC_THREAD_SANITIZER)
extern "C" int __clone(int (*)(void*), void*, int, void*, ...) noexcept;
constexpr auto clone_unseen = __clone;
#else
constexpr auto clone_unseen = ::clone;
#endif

namespace almanac {
namespace {

constexpr int signals_max = 64;  // of the kernel
constexpr std::size_t child_stack_bytes = 64 * 1024;
constexpr std::string_view path_default = "/usr/local/bin:/usr/bin:/bin";

enum class Stage : int { none, folder, program };

// What the child needs, laid out before it exists, and what it says when it fails. The child
// shares our memory until it becomes the command, while we stand still.
struct Child {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const char* folder;  // null = ours
  int input;
  int output;
  int errors;
  int guard_socket;
  pid_t parent;
  Stage failed = Stage::none;
  int error_number = 0;
};

// The child runs on our memory: nothing here may be wrapped by a sanitizer, take a lock or
// allocate, so it makes bare system calls.
#define ALMANAC_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

ALMANAC_IN_CHILD void restore_signals() {
  // The kernel's own layout, all zero: the default action, nothing blocked.
  struct KernelAction {
    void* handler;
    unsigned long flags;
    void* restorer;
    unsigned long mask;
  };
  static constexpr KernelAction default_action{};
  for (int signal = 1; signal <= signals_max; ++signal) {
    ::syscall(SYS_rt_sigaction, signal, &default_action, nullptr, sizeof(unsigned long));
  }
  static constexpr unsigned long none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof(none));
}

ALMANAC_IN_CHILD void tell_guard(const Child& child) {
  GuardMessage message{};
  message.group = static_cast<pid_t>(::syscall(SYS_getpid));
  message.running = true;
  ::syscall(SYS_sendto, child.guard_socket, &message, sizeof(message), MSG_NOSIGNAL, nullptr, 0);
}

// 1. a session of its own  2. die with the engine, also when it is gone already  3. be known to
// the guard  4. standard streams  5. nothing else open  6. the folder  7. the program
ALMANAC_IN_CHILD int become_command(void* argument) {
  auto& child = *static_cast<Child*>(argument);
  ::syscall(SYS_setsid);
  ::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::syscall(SYS_getppid) != child.parent) ::syscall(SYS_exit, 127);
  if (child.guard_socket >= 0) tell_guard(child);
  ::syscall(SYS_dup3, child.input, STDIN_FILENO, 0);
  ::syscall(SYS_dup3, child.output, STDOUT_FILENO, 0);
  ::syscall(SYS_dup3, child.errors, STDERR_FILENO, 0);
  ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
  restore_signals();
  long result = child.folder == nullptr ? 0 : ::syscall(SYS_chdir, child.folder);
  child.failed = Stage::folder;
  if (result == 0) {
    child.failed = Stage::program;
    ::syscall(SYS_execve, child.program, child.arguments, child.environment);
  }
  child.error_number = errno;
  ::syscall(SYS_exit, 127);
  return 127;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

std::string_view path_of(const std::vector<std::string>& environment) {
  constexpr std::string_view name = "PATH=";
  for (std::string_view variable : environment) {
    if (variable.starts_with(name)) return variable.substr(name.size());
  }
  return path_default;
}

// What a shell would run for this name, but never a program of the working folder that is only
// named and not pointed at. Empty when there is none.
std::string find_program(const std::string& name, std::string_view path) {
  if (name.find('/') != std::string::npos) return name;
  while (!path.empty()) {
    auto end = std::min(path.find(':'), path.size());
    std::string candidate = std::string(path.substr(0, end)) + "/" + name;
    if (path.starts_with('/') && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return {};
}

std::unexpected<Error> failed(const SpawnRequest& request, const Child& child) {
  bool folder = child.failed == Stage::folder;
  const std::string& name = folder ? request.working_folder : request.arguments.front();
  auto error = fail_errno(child.error_number, (folder ? "enter " : "run ") + name);
  if (child.error_number == ENOENT) error.error().code = ErrorCode::not_found;
  return error;
}

std::string describe_signal(int signal) {
  const char* abbreviation = ::sigabbrev_np(signal);
  return abbreviation == nullptr ? "signal " + std::to_string(signal)
                                 : "SIG" + std::string(abbreviation);
}

// One stack serves all: the parent stands still while the child is on it.
std::byte* child_stack_top() {
  alignas(16) static thread_local std::array<std::byte, child_stack_bytes> stack;
  return stack.data() + stack.size();
}

}  // namespace

Result<Spawned> spawn(const SpawnRequest& request) {
  std::array<int, 2> output;
  if (::pipe2(output.data(), O_CLOEXEC) != 0) return fail_errno(errno, "make a pipe");
  FileDescriptor output_read(output[0]);
  FileDescriptor output_write(output[1]);
  ::fcntl(output_read.get(), F_SETFL, O_NONBLOCK);
  auto arguments = pointers(request.arguments);
  auto environment = pointers(request.environment);
  auto program = find_program(request.arguments.front(), path_of(request.environment));
  Child child{.program = program.c_str(),
              .arguments = arguments.data(),
              .environment = environment.data(),
              .folder = request.working_folder.empty() ? nullptr : request.working_folder.c_str(),
              .input = request.input >= 0 ? request.input : request.null_device,
              .output = output_write.get(),
              .errors = request.errors >= 0 ? request.errors : output_write.get(),
              .guard_socket = request.guard_socket,
              .parent = ::getpid()};
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int handle = -1;
  pid_t process = clone_unseen(become_command, child_stack_top(),
                               CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &child, &handle);
  int error_number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (process < 0) return fail_errno(error_number, "start a process");
  Spawned spawned{process, FileDescriptor(handle), std::move(output_read)};
  if (child.error_number == 0) return spawned;
  forget(request.guard_socket, process);  // while the number is still taken
  while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {}
  return failed(request, child);
}

std::vector<std::string> environment_of(const std::vector<std::string>& names) {
  std::vector<std::string> environment;
  for (const std::string& name : names) {
    const char* value = std::getenv(name.c_str());
    if (value != nullptr) environment.push_back(name + "=" + value);
  }
  return environment;
}

void set_variable(std::vector<std::string>& environment, const std::string& name,
                  const std::string& value) {
  std::erase_if(environment,
                [&](const std::string& variable) { return variable.starts_with(name + "="); });
  environment.push_back(name + "=" + value);
}

siginfo_t wait_for(const FileDescriptor& handle, int options) {
  siginfo_t ended{};
  auto id = static_cast<id_t>(handle.get());
  while (::waitid(P_PIDFD, id, &ended, options) != 0) {
    ALMANAC_CHECK(errno == EINTR || errno == ECHILD);
    if (errno == ECHILD) break;  // the program around us ignores SIGCHLD: the code is lost
  }
  return ended;
}

bool is_our_child(pid_t process) {
  siginfo_t ended{};
  return ::waitid(P_PID, static_cast<id_t>(process), &ended, WEXITED | WNOWAIT | WNOHANG) == 0;
}

std::string describe_end(int exit_code, int signal) {
  if (signal == 0) return "exit code " + std::to_string(exit_code);
  return "ended by " + describe_signal(signal);
}

std::string describe_end(const siginfo_t& ended) {
  if (ended.si_code == CLD_EXITED) return describe_end(ended.si_status, 0);
  return "ended by " + describe_signal(ended.si_status);
}

}  // namespace almanac
