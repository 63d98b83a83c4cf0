// What each task of the kill tests runs: it does a little work and writes, beside the engine and
// unknown to it, its own record of when it began and ended.
//
//   kill_worker RECORD BEHAVIOUR MICROSECONDS
//
// A line of the record is "start|end|child TASK ATTEMPT LEASE PROCESS CODE", see kill_oracle.h.
#include <fcntl.h>
#include <poll.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

constexpr int failure_code = 3;
// Divides a page: a write that is cut short by SIGKILL is cut between pages, so never in a line.
constexpr std::size_t record_line_bytes = 64;

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "0" : value;
}

// Of "TIMELINE:LEASE".
const char* lease() {
  const char* colon = std::strchr(variable("ALMANAC_TOKEN"), ':');
  return colon == nullptr ? "0" : colon + 1;
}

// One write to a file opened for appending: whole and in order beside those of other processes.
void record(const char* path, const char* what, int code = 0) {
  std::array<char, record_line_bytes + 1> line;
  int size =
      std::snprintf(line.data(), line.size(), "%s %s %s %s %d %d", what, variable("ALMANAC_TASK"),
                    variable("ALMANAC_ATTEMPT"), lease(), static_cast<int>(::getpid()), code);
  if (size < 0 || static_cast<std::size_t>(size) >= record_line_bytes) std::abort();
  std::memset(line.data() + size, ' ', record_line_bytes - static_cast<std::size_t>(size));
  line[record_line_bytes - 1] = '\n';
  int file = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ::write(file, line.data(), record_line_bytes) != record_line_bytes) std::abort();
  ::close(file);
}

[[noreturn]] void stay_for_ever(const char* path) {
  record(path, "child");
  for (;;) ::pause();
}

// A process of this session that would outlive the worker by far.
void leave_behind(const char* path, bool own_group) {
  pid_t child = ::fork();
  if (child < 0) std::abort();
  if (child > 0) return;
  if (own_group) ::setpgid(0, 0);
  stay_for_ever(path);
}

void leave_behind_by_shell(const char* program, const char* path) {
  pid_t child = ::fork();
  if (child < 0) std::abort();
  if (child > 0) return;
  std::string one = std::string(program) + " " + path + " stay 0 & ";
  std::string script = one + one + "wait";
  ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
  std::abort();
}

// Stands for waiting on something outside; nothing wakes it early.
void work(int microseconds) {
  timespec time{microseconds / 1'000'000, (microseconds % 1'000'000) * 1'000L};
  ::ppoll(nullptr, 0, &time, nullptr);
}

void say(std::size_t bytes) {
  std::string line(127, 'x');
  for (std::size_t said = 0; said < bytes; said += line.size() + 1) std::puts(line.c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  const char* path = arguments[1];
  std::string_view behaviour = arguments[2];
  if (behaviour == "stay") stay_for_ever(path);
  record(path, "start");
  if (behaviour == "child") leave_behind(path, false);
  if (behaviour == "child_in_own_group") leave_behind(path, true);
  if (behaviour == "child_of_shell") leave_behind_by_shell(arguments[0], path);
  if (behaviour == "talk") say(2'000);
  if (behaviour == "talk_too_much") say(200'000);
  work(std::atoi(arguments[3]));
  bool first = std::string_view(variable("ALMANAC_ATTEMPT")) == "1";
  bool fails = behaviour == "fail" || (behaviour == "fail_first" && first);
  int code = fails ? failure_code : 0;
  record(path, "end", code);
  return code;
}
