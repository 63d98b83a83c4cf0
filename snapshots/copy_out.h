// A second copy of a repository, somewhere else: a folder on another disk, or wherever a command
// brings one file at a time. It is brought up to date in an order that lets it be restored from at
// every moment.
#pragma once

#include <almanac/snapshots/repository.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace almanac {

struct CopyFile {
  enum class Kind : std::uint8_t {
    content,  // a segment or a state: its name says which bytes it has
    fixed,    // a manifest, or what says that this is a repository: small, never replaced
    tail,     // small, replaced again and again
  };
  Kind kind = Kind::content;
  std::string name;            // below the repository: "segments/…"
  std::filesystem::path path;  // where its bytes are; of a tail, only during the call
  FileRecord record;
};

// Where the copy is. One thread at a time.
class CopyTarget {
 public:
  virtual ~CopyTarget() = default;
  // What is there. Errors: those of the place.
  [[nodiscard]] virtual Result<std::vector<std::string>> names() = 0;
  // Whether it is there: content by name and size, the others by their bytes.
  [[nodiscard]] virtual bool has(const CopyFile& file) = 0;
  // In the place of what has the name. It is whole and safe there once this returns. Errors:
  // not_found (the file is gone by now), and those of the place.
  [[nodiscard]] virtual Result<void> put(const CopyFile& file) = 0;
  [[nodiscard]] virtual Result<void> remove(const std::string& name) = 0;
};

struct CopyReport {
  std::uint64_t files = 0;  // copied now
  std::uint64_t bytes = 0;
  std::uint64_t removed = 0;
  std::vector<Error> refused;  // manifests and tails that are damaged, and were left out
};

struct CopyOptions {
  // What fails is tried so often, each time after twice as long, ten minutes at most.
  std::uint64_t tries = 5;
  std::chrono::milliseconds retry_after{250};
  std::filesystem::path temporary = std::filesystem::temp_directory_path();
  // Called on the calling thread with every file that was copied. May be empty.
  std::function<void(const CopyReport&)> progress = {};
  std::stop_token stop = {};  // what is copied by then stays
};

// Brings the copy up to date, beside who writes the repository: segments and states, then the
// manifests that name them, then tails. After that it removes what the repository has no more,
// manifests first; nothing while a manifest or a tail cannot be read. Goes on where an earlier one
// was interrupted.
//
// Errors: conflict (what is there is the copy of another repository, or of a newer one; nothing is
// changed), stopped, corrupt (a file is not the one that was written), those of reading and of the
// target.
[[nodiscard]] Result<CopyReport> copy_out(const Repository& from, CopyTarget& to,
                                          const CopyOptions& options);

// A copy in a folder, which is a repository itself: for `restore`, `list` and `verify`, and not to
// be written to by anybody else.
class FolderCopy : public CopyTarget {
 public:
  // Missing or empty, or a copy made before; its lock is held. Errors: conflict (another process
  // writes to it), refused (it holds something else, or is in `of`), io, storage_full.
  [[nodiscard]] static Result<FolderCopy> open(const std::filesystem::path& folder,
                                               const Repository& of);

  [[nodiscard]] Result<std::vector<std::string>> names() override;
  [[nodiscard]] bool has(const CopyFile& file) override;
  [[nodiscard]] Result<void> put(const CopyFile& file) override;
  [[nodiscard]] Result<void> remove(const std::string& name) override;

 private:
  FolderCopy(std::filesystem::path folder, WriteLock lock)
      : folder_(std::move(folder)), lock_(std::move(lock)) {}

  std::filesystem::path folder_;
  WriteLock lock_;
};

}  // namespace almanac
