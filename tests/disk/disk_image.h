// What lies on a disk, as values: folders, and files as lists of sectors. A sector is kept once and
// known by its number, so that two disks that differ in one sector cost no more than that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace almanac::test {

inline constexpr std::size_t sector_bytes = 512;
using Sector = std::array<char, sector_bytes>;
// 0 is the one of zeros.
using SectorId = std::uint32_t;

// Keeps every different sector once. One thread.
class SectorPool {
 public:
  SectorPool() : sectors_(1) {}
  [[nodiscard]] SectorId add(const Sector& sector);
  [[nodiscard]] const Sector& at(SectorId id) const { return sectors_[id]; }

 private:
  std::deque<Sector> sectors_;
  std::unordered_multimap<std::size_t, SectorId> by_hash_;
};

struct FileImage {
  std::vector<SectorId> sectors;  // those behind its end are zeros
  std::uint64_t size = 0;

  [[nodiscard]] SectorId at(std::size_t sector) const {
    return sector < sectors.size() ? sectors[sector] : 0;
  }
  void set(std::size_t sector, SectorId id);
  // Without what lies behind the end, so that equal contents are equal images.
  void trim(SectorPool& pool);
  bool operator==(const FileImage&) const = default;
};

struct ImageEntry {
  std::string path;
  bool is_folder = false;
  FileImage file = {};
  bool operator==(const ImageEntry&) const = default;
};
// A folder stands before what is in it.
using DiskImage = std::vector<ImageEntry>;

// What lies in a folder now. Stops the test program when it cannot be read.
[[nodiscard]] DiskImage read_image(const std::filesystem::path& folder, SectorPool& pool);

// Spreads two numbers over 64 bits.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = (a ^ (b * 0x9E3779B97F4A7C15ULL)) + 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

}  // namespace almanac::test
