#include <almanac/tests/disk/disk_image.h>

#include <almanac/log/error.h>
#include <almanac/log/file.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace almanac::test {

SectorId SectorPool::add(const Sector& sector) {
  if (sector == sectors_.front()) return 0;
  auto hash = std::hash<std::string_view>{}({sector.data(), sector.size()});
  auto [from, to] = by_hash_.equal_range(hash);
  for (; from != to; ++from) {
    if (sectors_[from->second] == sector) return from->second;
  }
  auto id = static_cast<SectorId>(sectors_.size());
  sectors_.push_back(sector);
  by_hash_.emplace(hash, id);
  return id;
}

void FileImage::set(std::size_t sector, SectorId id) {
  if (sector >= sectors.size()) {
    if (id == 0) return;
    sectors.resize(sector + 1);
  }
  sectors[sector] = id;
}

void FileImage::trim(SectorPool& pool) {
  auto count = (size + sector_bytes - 1) / sector_bytes;
  if (sectors.size() > count) sectors.resize(count);
  auto inside = size % sector_bytes;
  if (inside != 0 && sectors.size() == count) {
    Sector last = pool.at(sectors.back());
    std::fill(last.begin() + static_cast<std::ptrdiff_t>(inside), last.end(), '\0');
    sectors.back() = pool.add(last);
  }
  while (!sectors.empty() && sectors.back() == 0) sectors.pop_back();
}

namespace {

FileImage read_file_image(const std::filesystem::path& path, SectorPool& pool) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ALMANAC_CHECK(file.valid());
  FileImage image;
  for (;;) {
    Sector sector{};
    auto size = ::pread(file.get(), sector.data(), sector.size(), static_cast<off_t>(image.size));
    ALMANAC_CHECK(size >= 0);
    if (size > 0) image.set(image.size / sector_bytes, pool.add(sector));
    image.size += static_cast<std::uint64_t>(size);
    if (static_cast<std::size_t>(size) < sector_bytes) return image;
  }
}

}  // namespace

DiskImage read_image(const std::filesystem::path& folder, SectorPool& pool) {
  DiskImage image;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    ImageEntry one{entry.path().lexically_relative(folder).string(), entry.is_directory()};
    if (!one.is_folder) one.file = read_file_image(entry.path(), pool);
    image.push_back(std::move(one));
  }
  std::ranges::sort(image, {}, &ImageEntry::path);
  return image;
}

}  // namespace almanac::test
