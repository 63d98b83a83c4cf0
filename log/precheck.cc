#include <almanac/log/precheck.h>

#include <almanac/log/file.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

namespace almanac {
namespace {

// The layout of a meta page of LMDB 0.9 on a 64-bit machine: a page header of 16 bytes, then:
struct MetaPage {
  std::uint64_t page_number;
  std::uint16_t padding;
  std::uint16_t flags;
  std::uint32_t bounds;
  std::uint32_t magic;
  std::uint32_t version;
  std::uint64_t address;
  std::uint64_t map_bytes;
  struct Database {
    std::uint32_t padding;  // of the first one: the page size
    std::uint16_t flags;
    std::uint16_t depth;
    std::array<std::uint64_t, 5> counts_and_root;
  } free_pages, main;
  std::uint64_t last_page;
  std::uint64_t transaction;
};
static_assert(sizeof(MetaPage) == 152);

constexpr std::uint32_t lmdb_magic = 0xBEEFC0DE;
constexpr std::uint32_t lmdb_version = 1;
constexpr std::uint16_t meta_page_flag = 0x08;
constexpr std::uint32_t page_bytes_min = 512;
constexpr std::uint32_t page_bytes_max = 65536;

std::unexpected<Error> damaged(const std::filesystem::path& file, const std::string& what) {
  return fail(ErrorCode::corrupt, file.string() + " " + what,
              "restore the folder from a backup, or keep it and start with a new one");
}

bool read_meta(int descriptor, std::uint64_t offset, MetaPage& page) {
  auto size = ::pread(descriptor, &page, sizeof(page), static_cast<off_t>(offset));
  return size == static_cast<ssize_t>(sizeof(page));
}

Result<void> check_meta(const std::filesystem::path& file, const MetaPage& page,
                        std::uint32_t page_bytes) {
  if (page.magic != lmdb_magic || page.flags != meta_page_flag) {
    return damaged(file, "has a damaged meta page");
  }
  if (page.version != lmdb_version) {
    return fail(ErrorCode::newer_format,
                file.string() + " was written by another version of LMDB (data format " +
                    std::to_string(page.version) + ")",
                "use the version of Almanac that wrote it");
  }
  if (page.free_pages.padding != page_bytes || page.last_page < 1) {
    return damaged(file, "has a meta page that contradicts itself");
  }
  return {};
}

}  // namespace

Result<void> check_before_mapping(const std::filesystem::path& data_file) {
  FileDescriptor file(::open(data_file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ENOENT) {
      return fail(ErrorCode::not_found, "there is no log at " + data_file.string());
    }
    return fail_errno(errno, "open " + data_file.string());
  }
  MetaPage first;
  MetaPage second;
  if (!read_meta(file.get(), 0, first)) return damaged(data_file, "is cut short");
  auto page_bytes = first.free_pages.padding;
  if (first.magic != lmdb_magic) return damaged(data_file, "is not a log of Almanac");
  if (!std::has_single_bit(page_bytes) || page_bytes < page_bytes_min ||
      page_bytes > page_bytes_max) {
    return damaged(data_file, "has a damaged meta page");
  }
  if (!read_meta(file.get(), page_bytes, second)) return damaged(data_file, "is cut short");
  for (const MetaPage* page : {&first, &second}) {
    if (auto checked = check_meta(data_file, *page, page_bytes); !checked) return checked;
  }
  // After the metas: a writer makes the file longer before it names the new pages.
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return fail_errno(errno, "stat " + data_file.string());
  auto last_page = first.transaction > second.transaction ? first.last_page : second.last_page;
  auto bytes = static_cast<std::uint64_t>(status.st_size);
  if (last_page >= UINT64_MAX / page_bytes || (last_page + 1) * page_bytes > bytes) {
    return damaged(data_file, "is cut short: " + std::to_string(bytes) + " bytes of at least " +
                                  std::to_string((last_page + 1) * page_bytes));
  }
  return {};
}

}  // namespace almanac
