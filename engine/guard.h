// A small process beside the engine that outlives it by a moment: when the engine is gone, however
// it went, the guard kills the sessions of the commands that were running. The kernel kills
// a command itself when its parent dies, but not what the command has started.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/file.h>

#include <sys/types.h>

namespace almanac {

// What a command's process writes about itself just before it becomes the command, and the engine
// when it has ended.
struct GuardMessage {
  pid_t group = 0;
  bool running = false;
};

// Tells the guard behind a socket that a group is no more; nothing when there is no socket.
void forget(int guard_socket, pid_t group);

// Owned by the engine; its destructor ends the guard and with it whatever is still running.
class Guard {
 public:
  // Forks: call it before threads hold locks that matter to a child. Errors: io.
  [[nodiscard]] static Result<Guard> start();
  Guard(Guard&& other) noexcept;
  Guard& operator=(Guard&&) = delete;
  ~Guard();

  // The socket that takes GuardMessages; never blocks for long.
  [[nodiscard]] int socket() const { return socket_.get(); }
  void forget(pid_t group) const { almanac::forget(socket_.get(), group); }

 private:
  Guard(FileDescriptor socket, pid_t process) : socket_(std::move(socket)), process_(process) {}
  FileDescriptor socket_;
  pid_t process_ = -1;
};

}  // namespace almanac
