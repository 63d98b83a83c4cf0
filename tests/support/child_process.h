// Another process that a test talks to line by line, so that neither ever sleeps.
#pragma once

#include <almanac/log/file.h>

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {

// Killed and waited for when it goes. Its standard error is the test's.
class ChildProcess {
 public:
  // `arguments` begins with the program's path. Stops the test program when it cannot start.
  explicit ChildProcess(const std::vector<std::string>& arguments);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }
  // The next line it prints, without its end; "(end)" once there are no more.
  std::string read_line();
  // Sends a line and answers the next one it prints.
  std::string ask(std::string_view line);
  void kill(int signal);
  // Ends its input and waits: the exit code, or minus the signal that ended it.
  int wait();

 private:
  pid_t id_ = 0;
  FileDescriptor input_;
  FileDescriptor output_;
  std::string unread_;
};

}  // namespace almanac::test
