#include <almanac/log/precheck.h>

#include <almanac/log/file.h>
#include <almanac/log/page_check.h>

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

using layout::MetaPage;

// Pages of a snapshot are written over two commits later at the earliest: whoever walks one beside
// a busy writer may have to look again.
constexpr int tries_beside_a_writer = 4;

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
  if (page.magic != layout::magic || page.header.flags != layout::meta_page) {
    return damaged(file, "has a damaged meta page");
  }
  if (page.version != layout::version) {
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

// Both meta pages, and which of them is the newer one.
struct Metas {
  std::array<MetaPage, layout::meta_pages> pages;
  [[nodiscard]] const MetaPage& newest() const {
    return pages[pages[0].transaction < pages[1].transaction ? 1 : 0];
  }
  bool operator==(const Metas& other) const {
    return std::memcmp(pages.data(), other.pages.data(), sizeof(pages)) == 0;
  }
};

Result<Metas> read_metas(int descriptor, const std::filesystem::path& file) {
  Metas metas;
  auto& [first, second] = metas.pages;
  if (!read_meta(descriptor, 0, first)) return damaged(file, "is cut short");
  auto page_bytes = first.free_pages.padding;
  if (first.magic != layout::magic) return damaged(file, "is not a log of Almanac");
  if (!std::has_single_bit(page_bytes) || page_bytes < layout::page_bytes_min ||
      page_bytes > layout::page_bytes_max) {
    return damaged(file, "has a damaged meta page");
  }
  if (!read_meta(descriptor, page_bytes, second)) return damaged(file, "is cut short");
  for (const MetaPage& page : metas.pages) {
    if (auto checked = check_meta(file, page, page_bytes); !checked) {
      return std::unexpected(checked.error());
    }
  }
  return metas;
}

// Transactions take turns with the meta pages, so that the two are of consecutive ones. What was
// never written to has 0 in both.
Result<void> check_turns(const std::filesystem::path& file, const Metas& metas) {
  const auto& [first, second] = metas.pages;
  bool in_turn =
      first.transaction + 1 == second.transaction || second.transaction + 1 == first.transaction;
  bool in_place = first.transaction % 2 == 0 && second.transaction % 2 == 1;
  bool new_file = first.transaction == 0 && second.transaction == 0;
  if ((in_turn && in_place) || new_file) return {};
  return damaged(file, "has meta pages that contradict each other");
}

// After the metas were read: a writer makes the file longer before it names the new pages.
Result<void> check_length(int descriptor, const std::filesystem::path& file, const MetaPage& meta) {
  struct stat status;
  if (::fstat(descriptor, &status) != 0) return fail_errno(errno, "stat " + file.string());
  auto bytes = static_cast<std::uint64_t>(status.st_size);
  auto page_bytes = meta.free_pages.padding;
  auto needed = (meta.last_page + 1) * page_bytes;
  if (meta.last_page < UINT64_MAX / page_bytes && needed <= bytes) return {};
  return damaged(file, "is cut short: " + std::to_string(bytes) + " bytes of at least " +
                           std::to_string(needed));
}

Result<void> check_snapshot(int descriptor, const std::filesystem::path& file, const Metas& metas) {
  if (auto turns = check_turns(file, metas); !turns) return turns;
  if (auto length = check_length(descriptor, file, metas.newest()); !length) return length;
  auto walked = check_pages(descriptor, metas.newest());
  if (walked) return {};
  if (walked.error().code != ErrorCode::corrupt) return std::unexpected(walked.error());
  return damaged(file, "is damaged: " + walked.error().message);
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
  auto metas = read_metas(file.get(), data_file);
  for (int left = tries_beside_a_writer; left > 0; --left) {
    auto checked = metas ? check_snapshot(file.get(), data_file, *metas)
                         : Result<void>(std::unexpected(metas.error()));
    if (checked) return {};
    auto again = read_metas(file.get(), data_file);
    bool unchanged = metas ? again && *metas == *again : !again;
    if (unchanged) return checked;
    metas = std::move(again);
  }
  return metas ? Result<void>() : std::unexpected(metas.error());
}

}  // namespace almanac
