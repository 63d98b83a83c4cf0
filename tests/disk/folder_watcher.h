// Of all calls those that concern one folder: which file a descriptor stands for, by what name.
#pragma once

#include <almanac/tests/disk/disk_call.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace almanac::test {

class FolderWatcher : public CallWatcher {
 public:
  // `folder` is absolute and stays where it is. Files that are open already are not seen.
  explicit FolderWatcher(const std::filesystem::path& folder) : root_(folder.string() + "/") {}
  long on_call(const DiskCall& call, const RealCall& real) final;

 protected:
  // An open file. `handle` is new with every open, unlike the descriptor.
  struct OpenFile {
    std::uint32_t handle = 0;
    std::string path;  // below the folder
    int flags = 0;
  };
  // A call below the folder.
  struct Seen {
    const DiskCall& call;
    std::string path = {};  // below the folder: of the open file, or as named
    std::string to = {};
    std::uint32_t handle = 0;  // of the open file, or of the one that is being opened
    int flags = 0;             // with which it was opened
  };
  virtual long on_seen(const Seen& seen, const RealCall& real) = 0;

 private:
  [[nodiscard]] std::optional<std::string> below(int folder, const std::string& path) const;
  long on_open(const DiskCall& call, const RealCall& real);
  long on_file(const DiskCall& call, const RealCall& real);
  long on_named(const DiskCall& call, const RealCall& real);

  std::string root_;
  mutable std::mutex mutex_;
  std::map<int, OpenFile> open_;   // by descriptor; guarded by mutex_
  std::uint32_t last_handle_ = 0;  // guarded by mutex_
};

}  // namespace almanac::test
