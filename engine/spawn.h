// Starting a command: from an argument vector to a process group of its own.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/file.h>

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace almanac {

struct SpawnRequest {
  std::vector<std::string> arguments;    // the program first, found in PATH when it has no slash
  std::vector<std::string> environment;  // "NAME=value", all there is
  std::string working_folder;            // empty = ours
  int null_device = -1;                  // becomes standard input, where there is no other
  int input = -1;                        // becomes standard input
  int errors = -1;                       // becomes standard error; -1 = it goes where output goes
  int guard_socket = -1;                 // told the process group, see guard.h
};

struct Spawned {
  pid_t process = -1;     // and its process group and session
  FileDescriptor handle;  // readable when it has ended
  FileDescriptor output;  // what it writes to standard output, and error; does not block
};

// Starts it in a session of its own, to be killed by the kernel when the calling thread ends.
// Costs about one vfork: neither memory nor descriptors are copied.
// Errors: not_found and refused (the program, the folder), io.
[[nodiscard]] Result<Spawned> spawn(const SpawnRequest& request);

// Those of our variables that have these names, as an environment.
[[nodiscard]] std::vector<std::string> environment_of(const std::vector<std::string>& names);
void set_variable(std::vector<std::string>& environment, const std::string& name,
                  const std::string& value);

// Waits as waitid() does; all zero where the program around us ignores SIGCHLD, so that nobody
// knows.
[[nodiscard]] siginfo_t wait_for(const FileDescriptor& handle, int options);
// Not when the program around us has waited for it, or ignores SIGCHLD: then the number may be
// another's by now.
[[nodiscard]] bool is_our_child(pid_t process);
// "exit code 3" or, where there is a signal, "ended by SIGSEGV".
[[nodiscard]] std::string describe_end(int exit_code, int signal);
[[nodiscard]] std::string describe_end(const siginfo_t& ended);

}  // namespace almanac
