#include <almanac/log/commit_record.h>

#include <almanac/log/folder.h>
#include <almanac/log/hash.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace almanac {
namespace {

// A sector each: the disk writes one whole or not at all.
constexpr std::size_t slot_bytes = 512;
constexpr std::array<char, 8> slot_magic = {'A', 'L', 'M', 'C', 1, 0, 0, 0};

// As it lies on disk; the rest of the sector is zero. Numbers are little-endian.
struct Slot {
  std::array<char, 8> magic;  // and the format
  std::uint64_t transaction;
  std::uint64_t meta_hash;
  std::uint64_t first;
  std::uint64_t last;
  Timeline timeline;
  Digest digest;
  std::uint64_t checksum;  // XXH3 of what is in front
};
static_assert(sizeof(Slot) == 96);

std::uint64_t checksum_of(const Slot& slot) {
  return xxh3(std::as_bytes(std::span(&slot, 1)).first(offsetof(Slot, checksum)));
}

std::optional<CommitRecord> read_slot(int file, std::size_t index) {
  Slot slot;
  auto offset = static_cast<off_t>(index * slot_bytes);
  if (::pread(file, &slot, sizeof(slot), offset) != sizeof(slot)) return std::nullopt;
  if (slot.magic != slot_magic || slot.checksum != checksum_of(slot)) return std::nullopt;
  if (slot.transaction % 2 != index) return std::nullopt;
  return CommitRecord{.transaction = slot.transaction,
                      .meta_hash = slot.meta_hash,
                      .timeline = slot.timeline,
                      .first = Position(slot.first),
                      .last = Position(slot.last),
                      .digest = slot.digest};
}

}  // namespace

std::uint64_t hash_of(const layout::MetaPage& meta) {
  return xxh3(std::as_bytes(std::span(&meta, 1)).subspan(sizeof(layout::PageHeader)));
}

CommitFile::Records CommitFile::read(const std::filesystem::path& store) {
  FileDescriptor file(::open((store / commits_file).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return {};
  Records records = {read_slot(file.get(), 0), read_slot(file.get(), 1)};
  if (!records[0] || (records[1] && records[1]->transaction > records[0]->transaction)) {
    std::swap(records[0], records[1]);
  }
  return records;
}

CommitFile::CommitFile(const std::filesystem::path& store)
    : file_(::open((store / commits_file).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {}

void CommitFile::write(const CommitRecord& record) const {
  if (!file_.valid()) return;
  std::array<std::byte, slot_bytes> sector{};
  Slot slot{.magic = slot_magic,
            .transaction = record.transaction,
            .meta_hash = record.meta_hash,
            .first = record.first.value,
            .last = record.last.value,
            .timeline = record.timeline,
            .digest = record.digest,
            .checksum = 0};
  slot.checksum = checksum_of(slot);
  std::memcpy(sector.data(), &slot, sizeof(slot));
  auto offset = static_cast<off_t>(record.transaction % 2 * slot_bytes);
  // The commit is on disk, whatever happens here. What fails leaves it unconfirmed.
  if (::pwrite(file_.get(), sector.data(), sector.size(), offset) > 0) {
    (void)::sync_file_range(file_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  }
}

Result<void> CommitFile::sync() const {
  if (file_.valid() && ::fdatasync(file_.get()) != 0) {
    return fail_errno(errno, "sync the log's commits");
  }
  return {};
}

}  // namespace almanac
