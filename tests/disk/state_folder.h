// A real folder that is made to look like one image after the other, writing only what differs.
#pragma once

#include <almanac/tests/disk/disk_image.h>
#include <almanac/tests/disk/recording.h>

#include <filesystem>
#include <map>
#include <string>

namespace almanac::test {

// A fresh folder in memory (/dev/shm), else under TMPDIR; removed with all it holds.
class MemoryFolder {
 public:
  MemoryFolder();
  ~MemoryFolder();
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class StateFolder {
 public:
  // `folder` exists and is empty. `pool` outlives this.
  StateFolder(const std::filesystem::path& folder, SectorPool& pool)
      : folder_(folder), pool_(pool) {}

  void make(const DiskImage& image);
  // What was done to the folder since: it is undone by the next make().
  void touched(const Recording& recording);

 private:
  struct Held {
    bool is_folder = false;
    bool size_known = true;
    FileImage file;
  };
  void clear();
  void remove_others(const DiskImage& image);
  void make_file(const ImageEntry& entry);
  void touch(const RecordedCall& call);

  std::filesystem::path folder_;
  SectorPool& pool_;
  std::map<std::string, Held> held_;
  bool lost_track_ = false;
};

}  // namespace almanac::test
