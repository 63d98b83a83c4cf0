// A disk of its own that is soon full: a tmpfs in a mount namespace, which a process of ours holds
// and which is gone with it. Needs no rights where the system lets users have namespaces.
#pragma once

#include <almanac/log/file.h>

#include <sys/types.h>

#include <cstddef>
#include <filesystem>

namespace almanac::test {

class SmallDisk {
 public:
  // `mount_point` is an empty folder. Stops the test program when the disk cannot be had.
  SmallDisk(const std::filesystem::path& mount_point, std::size_t bytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // Where any process of ours finds it.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Takes all room that is left, with a file called "filler", and gives it back.
  void fill() const;
  void make_room() const;

 private:
  pid_t holder_ = 0;
  FileDescriptor hold_;  // the holder goes when this is closed
  std::filesystem::path path_;
};

}  // namespace almanac::test
