// What a process leaves behind when it is killed. The kernel hands it to this process, down to the
// last descendant, so none can hide: nothing is left when this process has no child any more.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace almanac::test {

// While it lives, orphans come to this process, which must have no other children when wait() is
// called. One at a time, on the main thread.
class Orphans {
 public:
  Orphans();
  ~Orphans();
  Orphans(const Orphans&) = delete;
  Orphans& operator=(const Orphans&) = delete;

  struct Report {
    int status = 0;                         // of the parent, as waitpid() gives it
    std::size_t count = 0;                  // of descendants that were alive when it was gone
    std::chrono::microseconds outlived{0};  // between its end and that of the last of them
    std::vector<std::string> survivors;     // "1234 COMMAND LINE"; killed afterwards
  };
  // Waits until `parent`, a child of ours that is about to end, and all its descendants are gone;
  // those that are not `limit` behind it are survivors.
  Report wait(pid_t parent, std::chrono::milliseconds limit);
};

}  // namespace almanac::test
