// Whether what an operation promised outlives a power loss at any moment of it; in one process, for
// operations of which few states are to be judged (explorer.h is for many).
#pragma once

#include <almanac/tests/disk/disk_image.h>
#include <almanac/tests/disk/recording.h>
#include <almanac/tests/disk/shadow_disk.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace almanac::test {

struct CrashCheck {
  DiskImage before;  // what was there for certain
  Recording recording;
  // What is wrong with the folder that is found after a power loss, up to whose moment the last
  // mark had the position `promised`, 0 where there was none; "" when nothing is. May change it.
  std::function<std::string(const std::filesystem::path& disk, std::uint64_t promised)> problem_of;
};

struct CrashReport {
  std::size_t states = 0;  // that were judged, each once
  std::string problem;     // the first one, and where; then nothing more is judged
};
// `pool` is the one of `before`.
[[nodiscard]] CrashReport crash_everywhere(const CrashCheck& check, SectorPool& pool,
                                           const DiskFaults& faults = {});

}  // namespace almanac::test
