// What tests need to follow processes that are not theirs: news from them, and their end.
#pragma once

#include <almanac/log/file.h>

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace almanac::test {

// A pipe with a name that commands write lines to: `echo ready > PATH`. Neither side waits for the
// other to open it.
class NamedPipe {
 public:
  explicit NamedPipe(std::filesystem::path path);
  [[nodiscard]] const std::string& path() const { return path_; }
  // The next line without its end. Fails the test and answers "" when none comes in a minute.
  std::string read_line();

 private:
  std::string path_;
  FileDescriptor pipe_;
};

// Holds on to a process that is alive when this is made, so that its number cannot come to mean
// another one.
class ProcessWatch {
 public:
  explicit ProcessWatch(pid_t process);
  [[nodiscard]] bool is_alive() const;
  // Waits a minute at most.
  [[nodiscard]] bool ends() const;

 private:
  FileDescriptor handle_;
};

}  // namespace almanac::test
