// One process writes a log, or whatever else a folder holds. The lock is a flock on DIR/lock, so it
// is gone with its holder however that one ends; the file's text tells a second one who holds it.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/file.h>

#include <chrono>
#include <filesystem>
#include <string_view>

namespace almanac {

// Owned by the log; released by its destructor.
class WriteLock {
 public:
  // Takes the lock for writing and writes who we are. `what` the folder holds is said to whom it is
  // refused. A holder is waited for so long. Errors: conflict (names the holder), refused, io,
  // storage_full.
  [[nodiscard]] static Result<WriteLock> take(const std::filesystem::path& folder,
                                              std::string_view what = "log",
                                              std::chrono::milliseconds wait_max = {});
  // Keeps writers out while a reader that cannot register with LMDB (a read-only folder) reads.
  // Where there is no lock file, as in a copy of the log alone, nobody is kept out. Errors:
  // conflict when someone writes, refused, io.
  [[nodiscard]] static Result<WriteLock> share(const std::filesystem::path& folder);

 private:
  explicit WriteLock(FileDescriptor file) : file_(std::move(file)) {}
  FileDescriptor file_;
};

}  // namespace almanac
