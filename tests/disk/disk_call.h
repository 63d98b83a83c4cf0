// The calls by which a program reads and changes a disk, as values, and who is told of them. This
// test program defines those functions of libc itself (libc_calls.cc) and hands each call on to the
// kernel: what our code does and what LMDB does both pass here.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace almanac::test {

enum class CallKind : std::uint8_t {
  open,
  close,
  read,
  write,
  sync,
  map,
  truncate,
  allocate,
  rename,
  unlink,
  make_folder,
  remove_folder,
};

struct DiskCall {
  CallKind kind;
  const char* name;       // of the function
  int file = -1;          // the descriptor, where there is one
  int folder = -100;      // where `path` begins when it is relative; AT_FDCWD
  std::string path = {};  // open, rename, unlink, make_folder, remove_folder
  int to_folder = -100;
  std::string to = {};       // rename
  int flags = 0;             // of open; the mode of allocate; of map: whether it writes the file
  bool placed = false;       // a write with an offset of its own
  std::uint64_t offset = 0;  // write, allocate
  std::uint64_t length = 0;  // write, allocate; the new size of truncate
  std::span<const iovec> bytes = {};  // write
};

// Does the call and answers its result, or minus its errno. A write is done with the bytes given.
using RealCall = std::function<long(std::span<const iovec>)>;

class CallWatcher {
 public:
  virtual ~CallWatcher() = default;
  // Does the call, or does something else, and answers its result, or minus an errno. On the
  // thread of the call; any number at once.
  virtual long on_call(const DiskCall& call, const RealCall& real) = 0;
};

// From here to its end all calls of this process go through `watcher`. One at a time; while no
// other thread is about to begin a call.
class Watching {
 public:
  explicit Watching(CallWatcher& watcher);
  ~Watching();
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;
};

}  // namespace almanac::test
