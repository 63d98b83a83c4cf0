#include <almanac/tests/disk/state_folder.h>

#include <almanac/log/error.h>
#include <almanac/log/file.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

constexpr SectorId unknown = UINT32_MAX;

void touch_range(FileImage& file, std::uint64_t offset, std::uint64_t length) {
  auto end = (offset + length + sector_bytes - 1) / sector_bytes;
  for (auto sector = offset / sector_bytes; sector < end; ++sector) file.set(sector, unknown);
}

}  // namespace

MemoryFolder::MemoryFolder() {
  auto shared = fs::path("/dev/shm");
  auto below = ::access(shared.c_str(), W_OK) == 0 ? shared : fs::temp_directory_path();
  auto name = (below / "almanac-disk-XXXXXX").string();
  ALMANAC_CHECK(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

MemoryFolder::~MemoryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void StateFolder::clear() {
  for (const auto& entry : fs::directory_iterator(folder_)) fs::remove_all(entry.path());
  held_.clear();
  lost_track_ = false;
}

void StateFolder::make(const DiskImage& image) {
  if (lost_track_) clear();
  remove_others(image);
  for (const ImageEntry& entry : image) {
    if (!entry.is_folder) {
      make_file(entry);
      continue;
    }
    auto [at, fresh] = held_.try_emplace(entry.path, Held{.is_folder = true, .file = {}});
    if (fresh) ALMANAC_CHECK(::mkdir((folder_ / entry.path).c_str(), 0700) == 0);
  }
}

// What is a folder in one image and a file in the other goes too.
void StateFolder::remove_others(const DiskImage& image) {
  std::set<std::pair<std::string, bool>> wanted;
  for (const ImageEntry& entry : image) wanted.emplace(entry.path, entry.is_folder);
  for (auto at = held_.end(); at != held_.begin();) {  // what is in a folder before the folder
    --at;
    if (wanted.contains({at->first, at->second.is_folder})) continue;
    auto path = folder_ / at->first;
    int removed = at->second.is_folder ? ::rmdir(path.c_str()) : ::unlink(path.c_str());
    ALMANAC_CHECK(removed == 0);
    at = held_.erase(at);
  }
}

void StateFolder::make_file(const ImageEntry& entry) {
  auto [at, fresh] = held_.try_emplace(entry.path);
  Held& held = at->second;
  if (!fresh && held.size_known && held.file == entry.file) return;
  auto path = folder_ / entry.path;
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ALMANAC_CHECK(file.valid());
  if (!held.size_known || held.file.size != entry.file.size) {
    ALMANAC_CHECK(::ftruncate(file.get(), static_cast<off_t>(entry.file.size)) == 0);
  }
  auto all = (entry.file.size + sector_bytes - 1) / sector_bytes;
  auto differ = [&](std::size_t sector) { return held.file.at(sector) != entry.file.at(sector); };
  auto count = std::min(all, std::max(held.file.sectors.size(), entry.file.sectors.size()));
  std::string run;
  for (std::size_t sector = 0; sector < count;) {
    auto from = sector;
    for (run.clear(); sector < count && differ(sector); ++sector) {
      const Sector& content = pool_.at(entry.file.at(sector));
      run.append(content.data(), content.size());
    }
    if (run.empty()) {
      ++sector;
      continue;
    }
    auto place = from * sector_bytes;
    run.resize(std::min<std::uint64_t>(run.size(), entry.file.size - place));
    auto written = ::pwrite(file.get(), run.data(), run.size(), static_cast<off_t>(place));
    ALMANAC_CHECK(written == static_cast<ssize_t>(run.size()));
  }
  held = {.file = entry.file};
}

void StateFolder::touched(const Recording& recording) {
  for (const Step& step : recording.steps) {
    if (const auto* call = std::get_if<RecordedCall>(&step)) touch(*call);
  }
  for (const auto& path : recording.mapped_for_writing) {
    auto found = held_.find(path);
    if (found == held_.end()) continue;
    struct stat status{};
    found->second.size_known = false;
    if (::stat((folder_ / path).c_str(), &status) != 0) continue;
    touch_range(found->second.file, 0, static_cast<std::uint64_t>(status.st_size));
  }
}

void StateFolder::touch(const RecordedCall& call) {
  switch (call.kind) {
    case CallKind::open:
      if ((call.flags & O_CREAT) != 0)
        held_.try_emplace(call.path, Held{.size_known = false, .file = {}});
      if ((call.flags & O_TRUNC) == 0) return;
      break;
    case CallKind::make_folder:
      held_.try_emplace(call.path, Held{.is_folder = true, .file = {}});
      return;
    case CallKind::unlink: held_.erase(call.path); return;
    case CallKind::rename:
    case CallKind::remove_folder: lost_track_ = true; return;
    case CallKind::write:
    case CallKind::truncate:
    case CallKind::allocate: break;
    default: return;
  }
  auto found = held_.find(call.path);
  if (found == held_.end()) return;  // its folder was renamed
  found->second.size_known = false;
  FileImage& file = found->second.file;
  if (call.kind == CallKind::write) return touch_range(file, call.offset, call.length);
  std::ranges::fill(file.sectors, unknown);
}

}  // namespace almanac::test
