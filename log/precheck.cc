#include <almanac/log/precheck.h>

#include <almanac/log/file.h>
#include <almanac/log/page_check.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

namespace almanac {
namespace {

namespace fs = std::filesystem;
using layout::MetaPage;
using Confirmed = CommitFile::Records;

// Pages of a snapshot are written over two commits later at the earliest: whoever walks one beside
// a busy writer may have to look again.
constexpr int tries_beside_a_writer = 4;

std::unexpected<Error> damaged(const fs::path& file, const std::string& what) {
  return fail(ErrorCode::corrupt, file.string() + " " + what,
              "`almanac log repair` keeps what is whole of it; or restore it from a backup");
}

bool read_meta(int descriptor, std::uint64_t offset, MetaPage& page) {
  auto size = ::pread(descriptor, &page, sizeof(page), static_cast<off_t>(offset));
  return size == static_cast<ssize_t>(sizeof(page));
}

Result<void> check_meta(const fs::path& file, const MetaPage& page, std::uint32_t page_bytes) {
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
  [[nodiscard]] std::size_t newest_index() const {
    return pages[0].transaction < pages[1].transaction ? 1 : 0;
  }
  [[nodiscard]] const MetaPage& newest() const { return pages[newest_index()]; }
  [[nodiscard]] const MetaPage& older() const { return pages[1 - newest_index()]; }
  bool operator==(const Metas& other) const {
    return std::memcmp(pages.data(), other.pages.data(), sizeof(pages)) == 0;
  }
};

Result<Metas> read_metas(int descriptor, const fs::path& file) {
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

// Transactions take turns with the meta pages, so that the two are of consecutive ones; or one is a
// copy of the other: in a file that was never written to, and where a commit was taken back.
Result<void> check_turns(const fs::path& file, const Metas& metas) {
  const auto& [first, second] = metas.pages;
  bool in_turn =
      first.transaction + 1 == second.transaction || second.transaction + 1 == first.transaction;
  bool in_place = first.transaction % 2 == 0 && second.transaction % 2 == 1;
  if ((in_turn && in_place) || hash_of(first) == hash_of(second)) return {};
  return damaged(file, "has meta pages that contradict each other");
}

// After the metas were read: a writer makes the file longer before it names the new pages.
Result<void> check_length(int descriptor, const fs::path& file, const MetaPage& meta) {
  struct stat status;
  if (::fstat(descriptor, &status) != 0) return fail_errno(errno, "stat " + file.string());
  auto bytes = static_cast<std::uint64_t>(status.st_size);
  auto page_bytes = meta.free_pages.padding;
  auto needed = (meta.last_page + 1) * page_bytes;
  if (meta.last_page < UINT64_MAX / page_bytes && needed <= bytes) return {};
  return damaged(file, "is cut short: " + std::to_string(bytes) + " bytes of at least " +
                           std::to_string(needed));
}

Result<PageCheckReport> walk(int descriptor, const fs::path& file, const MetaPage& meta,
                             PageCheckDepth depth = PageCheckDepth::trees) {
  if (auto length = check_length(descriptor, file, meta); !length) {
    return std::unexpected(length.error());
  }
  auto walked = check_pages(descriptor, meta, depth);
  if (walked || walked.error().code != ErrorCode::corrupt) return walked;
  return damaged(file, "is damaged: " + walked.error().message);
}

// Whether the newest commit is one that was made and can be read.
Result<void> check_newest(int descriptor, const fs::path& file, const Metas& metas,
                          const Confirmed& confirmed, Position replay_through) {
  const MetaPage& newest = metas.newest();
  if (auto turns = check_turns(file, metas); !turns) return turns;
  auto walked = walk(descriptor, file, newest);
  if (!walked) return std::unexpected(walked.error());
  if (!confirmed[0]) return {};
  bool same = newest.transaction == confirmed[0]->transaction;
  if (same && hash_of(newest) != confirmed[0]->meta_hash) {
    return damaged(file, "has a damaged meta page");
  }
  if (newest.transaction >= confirmed[0]->transaction &&
      walked->last_frame.first >= confirmed[0]->first.value) {
    return {};
  }
  bool before = newest.transaction < confirmed[0]->transaction;
  if (before && replay_through >= confirmed[0]->last) return {};
  return fail(ErrorCode::corrupt,
              file.string() + " was rolled back: it ends before position " +
                  std::to_string(confirmed[0]->last.value) + ", which was once in it",
              "put the newer file back; if this one is meant to be here, remove " +
                  (file.parent_path() / "commits").string());
}

// The commit that a record confirms, and whose meta page can stand for both: all that any record
// confirms is in it or will be appended again.
std::optional<std::size_t> index_to_keep(int descriptor, const fs::path& file, const Metas& metas,
                                         const Confirmed& confirmed, Position replay_through) {
  for (const auto& record : confirmed) {
    if (!record || std::max(record->last, replay_through) < confirmed[0]->last) continue;
    for (std::size_t index = 0; index < metas.pages.size(); ++index) {
      const MetaPage& meta = metas.pages[index];
      if (record->transaction != meta.transaction || record->meta_hash != hash_of(meta)) continue;
      auto walked = walk(descriptor, file, meta);
      if (walked && walked->last_frame.first == record->first.value) return index;
    }
  }
  return std::nullopt;
}

// Takes a commit back that is not whole. False where nothing else could stand in its place. Cut
// short by a crash itself, it is done again by the next one.
Result<bool> take_back(const fs::path& file, const Metas& metas, const Confirmed& confirmed,
                       Position replay_through) {
  FileDescriptor opened(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  if (!opened.valid()) return fail_errno(errno, "open " + file.string());
  auto kept = index_to_keep(opened.get(), file, metas, confirmed, replay_through);
  if (!kept) return false;
  MetaPage copy = metas.pages[*kept];
  copy.header = metas.pages[1 - *kept].header;
  auto offset = static_cast<off_t>((1 - *kept) * copy.free_pages.padding);
  if (::pwrite(opened.get(), &copy, sizeof(copy), offset) != sizeof(copy) ||
      ::fdatasync(opened.get()) != 0) {
    return fail_errno(errno, "write " + file.string());
  }
  return true;
}

}  // namespace

// The records are read first: whoever commits writes them last, so that a record that is found is
// of a commit that is found.
Result<Precheck> check_before_mapping(const fs::path& data_file, const PrecheckOptions& options) {
  FileDescriptor file(::open(data_file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ENOENT) {
      return fail(ErrorCode::not_found, "there is no log at " + data_file.string());
    }
    return fail_errno(errno, "open " + data_file.string());
  }
  const auto confirmed = CommitFile::read(data_file.parent_path());
  auto metas = read_metas(file.get(), data_file);
  for (int left = tries_beside_a_writer; left > 0; --left) {
    auto checked =
        metas ? check_newest(file.get(), data_file, *metas, confirmed, options.replay_through)
              : Result<void>(std::unexpected(metas.error()));
    if (checked) return Precheck{.confirmed = confirmed[0]};
    auto again = read_metas(file.get(), data_file);
    bool unchanged = metas ? again && *metas == *again : !again;
    if (unchanged && (!metas || !options.may_take_back)) return std::unexpected(checked.error());
    if (unchanged) {
      auto taken = take_back(data_file, *metas, confirmed, options.replay_through);
      if (!taken) return std::unexpected(taken.error());
      if (!*taken) return std::unexpected(checked.error());
      return Precheck{.confirmed = confirmed[0], .took_back = true};
    }
    metas = std::move(again);
  }
  if (!metas) return std::unexpected(metas.error());
  return Precheck{.confirmed = confirmed[0]};
}

Result<void> check_before_removing(int descriptor, const fs::path& data_file) {
  auto metas = read_metas(descriptor, data_file);
  if (!metas) return std::unexpected(metas.error());
  auto walked = walk(descriptor, data_file, metas->newest(), PageCheckDepth::thorough);
  if (!walked) return std::unexpected(walked.error());
  return {};
}

}  // namespace almanac
