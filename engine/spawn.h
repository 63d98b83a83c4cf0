// Starting a command: from an argument vector to a process group of its own.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/file.h>

#include <sys/types.h>
#include <string>
#include <vector>

namespace almanac {

struct SpawnRequest {
  std::vector<std::string> arguments;    // the program first, found in PATH when it has no slash
  std::vector<std::string> environment;  // "NAME=value", all there is
  std::string working_folder;            // empty = ours
  int null_device = -1;                  // becomes standard input
  int guard_socket = -1;                 // told the process group, see guard.h
};

struct Spawned {
  pid_t process = -1;     // and its process group and session
  FileDescriptor handle;  // readable when it has ended
  FileDescriptor output;  // what it writes to standard output and error; does not block
};

// Starts it in a session of its own, to be killed by the kernel when the calling thread ends.
// Costs about one vfork: neither memory nor descriptors are copied.
// Errors: not_found and refused (the program, the folder), io.
[[nodiscard]] Result<Spawned> spawn(const SpawnRequest& request);

}  // namespace almanac
