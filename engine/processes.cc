#include <almanac/engine/processes.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/log_context.h>
#include <almanac/engine/sessions.h>

#include <almanac/log/file.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <ranges>
#include <utility>

namespace almanac {

struct Processes::Process {
  Lease lease;
  LogContext context;
  Spawned spawned;
  FileDescriptor dependencies;  // what it is shown of them
  std::string output;
  std::uint64_t output_dropped = 0;
  Loop::WatchHandle output_watch;
  Loop::WatchHandle end_watch;
};

namespace {

AttemptOutcome outcome_of(const siginfo_t& ended) {
  const bool has_exited = ended.si_code == CLD_EXITED;
  if (has_exited && ended.si_status == 0) return {};
  return {.status = has_exited ? AttemptStatus::exited : AttemptStatus::signaled,
          .code = ended.si_status,
          .message = describe_end(ended)};
}

// A file without a name that holds the text: it goes with its descriptor, however we end.
Result<FileDescriptor> in_memory(std::string_view text) {
  FileDescriptor file(::memfd_create("dependencies", MFD_CLOEXEC));
  if (file.get() < 0) return fail_errno(errno, "make a file in memory");
  while (!text.empty()) {
    const auto size = ::write(file.get(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail_errno(errno, "write a file in memory");
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return file;
}

// By which other processes of ours can open it.
std::string path_of(const FileDescriptor& file) {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file.get());
}

}  // namespace

Processes::Processes(Loop& loop, const Guard& guard, ProcessOptions options, OnEnd on_end)
    : loop_(loop),
      guard_(guard),
      options_(std::move(options)),
      on_end_(std::move(on_end)),
      null_device_(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
      environment_(environment_of(options_.environment_allow)) {}

Processes::~Processes() {
  for (auto& [lease, process] : running_) {
    ended_.push_back(process->spawned.process);
  }
  sweep();
}

Result<void> Processes::start(const Start& start) {
  SpawnRequest request{.arguments = start.spec.arguments,
                       .environment = environment_,
                       .working_folder = start.spec.working_folder,
                       .null_device = null_device_.get(),
                       .guard_socket = guard_.socket()};
  auto& environment = request.environment;
  for (const auto& [name, value] : start.spec.environment) set_variable(environment, name, value);
  set_variable(environment, "ALMANAC_TASK", std::to_string(start.id.value));
  set_variable(environment, "ALMANAC_ATTEMPT", std::to_string(start.attempt));
  set_variable(environment, "ALMANAC_TOKEN", to_text(start.token));
  // The first is enough for most; one that uses several asks for each by its name.
  for (const AttemptModel& one : std::views::reverse(start.models)) {
    if (!one.name.empty()) set_variable(environment, "ALMANAC_MODEL", one.name);
    if (one.bytes > 0) {
      set_variable(environment, "ALMANAC_GPU_MEMORY", std::to_string(one.bytes));
    }
    set_variable(environment, "ALMANAC_GPU", one.gpu);
  }
  FileDescriptor dependencies;
  if (!start.dependencies.empty()) {
    auto made = in_memory(start.dependencies);
    if (!made) return std::unexpected(made.error());
    dependencies = std::move(*made);
    set_variable(environment, "ALMANAC_DEPENDENCIES", path_of(dependencies));
  }
  auto spawned = spawn(request);
  if (!spawned) return std::unexpected(spawned.error());
  auto process = std::make_unique<Process>();
  process->lease = start.token.lease;
  process->context = {.task = start.id, .attempt = start.attempt, .operation = "command"};
  process->spawned = std::move(*spawned);
  process->dependencies = std::move(dependencies);
  auto& entry = *process;
  entry.output_watch =
      loop_.watch(entry.spawned.output.get(), [this, &entry] { read_output(entry); });
  entry.end_watch = loop_.watch(entry.spawned.handle.get(), [this, &entry] { end(entry); });
  const LogScope scope(entry.context);
  log_message(LogLevel::debug, "the attempt begins");
  running_[start.token.lease] = std::move(process);
  return {};
}

void Processes::signal(Lease lease, int signal) {
  auto entry = running_.find(lease);
  if (entry != running_.end()) ::kill(-entry->second->spawned.process, signal);
}

void Processes::read_output(Process& process) {
  std::array<char, 64 * limits::kibibyte> buffer;
  while (true) {
    auto size = ::read(process.spawned.output.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return;  // nothing there now
    if (size == 0) {
      process.output_watch.reset();
      return;
    }
    auto bytes = static_cast<std::size_t>(size);
    auto room = options_.output_bytes_max - process.output.size();
    process.output.append(buffer.data(), std::min(bytes, room));
    process.output_dropped += bytes - std::min(bytes, room);
    if (bytes < buffer.size()) return;
  }
}

// 1. see how it ended, its number still taken  2. kill what it left behind in its group, by that
// number  3. keep the number for the sweep
void Processes::end(Process& process) {
  auto ended = wait_for(process.spawned.handle, WEXITED | WNOWAIT);
  ::kill(-process.spawned.process, SIGKILL);
  read_output(process);
  auto outcome = outcome_of(ended);
  outcome.output = std::move(process.output);
  outcome.output_dropped = process.output_dropped;
  auto lease = process.lease;
  const LogScope scope(process.context);
  log_message(LogLevel::debug, "the attempt has ended",
              {{"succeeded", outcome.status == AttemptStatus::succeeded}});
  process.output_watch.reset();
  process.end_watch.reset();
  ended_.push_back(process.spawned.process);
  running_.erase(lease);
  on_end_(lease, std::move(outcome));
}

// 1. kill, their numbers still taken  2. tell the guard  3. only now give the numbers back
void Processes::sweep() {
  std::vector<pid_t> leaders;
  std::ranges::copy_if(ended_, std::back_inserter(leaders), is_our_child);
  kill_sessions(leaders);
  for (pid_t leader : std::exchange(ended_, {})) {
    guard_.forget(leader);
    while (::waitpid(leader, nullptr, 0) < 0 && errno == EINTR) {}
  }
}

}  // namespace almanac
