#include <almanac/log/compact.h>

#include <almanac/log/commit_record.h>
#include <almanac/log/file.h>
#include <almanac/log/folder.h>
#include <almanac/log/limits.h>
#include <almanac/log/log.h>
#include <almanac/log/page_layout.h>
#include <almanac/log/store.h>
#include <almanac/log/verify.h>
#include <almanac/log/write_lock.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;
using layout::MetaPage;

constexpr const char* compacting_folder = "log.compacting";

// LMDB's readers share a lock on the first byte of their table as long as they have the log open.
// This process must not have it open: closing the table here would let go of its own.
Result<void> check_nobody_reads(const fs::path& store) {
  FileDescriptor table(::open((store / "lock.mdb").c_str(), O_RDWR | O_CLOEXEC));
  if (!table.valid()) return {};
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_len = 1;
  if (::fcntl(table.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return {};
  return fail(ErrorCode::conflict,
              "process " + std::to_string(lock.l_pid) + " has the log in " +
                  store.parent_path().string() + " open",
              "wait until it ends, or stop it");
}

Result<std::uint64_t> pages_bytes(const fs::path& store) {
  std::error_code error;
  const auto bytes = fs::file_size(store / pages_file, error);
  if (error) return fail_errno(error.value(), "measure " + (store / pages_file).string());
  return bytes;
}

// Copies frames as they come, in commits of the usual size.
class Copier {
 public:
  explicit Copier(Store& to) : to_(to) {}

  Result<bool> add(const Store::Frame& frame) {
    if (bytes_ >= limits::commit_bytes_target) {
      if (auto written = write({}); !written) return std::unexpected(written.error());
    }
    auto& copy = values_.emplace_back(frame.value.begin(), frame.value.end());
    frames_.push_back({frame.first, copy});
    bytes_ += copy.size();
    ++count_;
    return true;
  }
  // With the last frames: a commit of their own would leave pages behind that are free, but in the
  // file.
  Result<void> finish(const StoreRecords& records) { return write(records); }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  Result<void> write(const StoreRecords& records) {
    auto appended = to_.append(frames_, records);
    frames_.clear();
    values_.clear();
    bytes_ = 0;
    return appended;
  }

  Store& to_;
  std::vector<std::vector<std::byte>> values_;
  std::vector<Store::Frame> frames_;
  std::uint64_t bytes_ = 0;
  std::uint64_t count_ = 0;
};

// The versions of streams and the keys: a log that was trimmed does not tell them any more.
Result<void> copy_index(const Store& from, Store& to) {
  constexpr std::size_t records_max = 10'000;  // of one transaction
  for (auto table : {IndexTable::streams, IndexTable::stream_events, IndexTable::keys}) {
    std::optional<IndexKey> last;
    while (true) {
      auto records = from.find_from(table, last.value_or(IndexKey{}), records_max);
      if (!records) return std::unexpected(records.error());
      if (last) records->erase(records->begin());
      if (records->empty()) break;
      last = records->back().key;
      StoreRecords copied;
      copied.index = std::move(*records);
      if (auto written = to.append({}, copied); !written) return written;
    }
  }
  auto through = from.indexed_through();
  if (!through) return std::unexpected(through.error());
  if (!*through) return {};
  StoreRecords known;
  known.indexed_through = *through;
  return to.append({}, known);
}

// What the log says about itself.
Result<StoreRecords> records_of(const Store& store) {
  auto base = store.base();
  auto checkpoint = store.checkpoint();
  if (!base || !checkpoint) return std::unexpected(base ? checkpoint.error() : base.error());
  auto origin = store.origin();
  if (!origin) return std::unexpected(origin.error());
  StoreRecords records{.journal_use = JournalUse::closed, .origin = *origin};
  if (base->last) records.base = *base;
  if (*checkpoint) records.checkpoint = *checkpoint;
  return records;
}

// Answers how many frames there were.
Result<std::uint64_t> copy_frames(const fs::path& from, const fs::path& to,
                                  const std::function<void(Position)>& progress) {
  const Store::OpenOptions reading{.access = Access::read, .map_bytes = limits::map_bytes_default};
  auto old = Store::open(from, reading);
  if (!old) return std::unexpected(old.error());
  auto records = records_of(**old);
  if (!records) return std::unexpected(records.error());
  if (auto made = Store::create(to, {.timeline = (*old)->timeline()}); !made) {
    return std::unexpected(made.error());
  }
  const auto old_bytes = pages_bytes(from);
  if (!old_bytes) return std::unexpected(old_bytes.error());
  const auto map_bytes = std::max<std::uint64_t>(limits::map_bytes_default, 2 * *old_bytes);
  auto copy = Store::open(to, {.map_bytes = map_bytes});
  if (!copy) return std::unexpected(copy.error());
  Copier copier(**copy);
  auto read = (*old)->read(Position(1), [&](const Store::Frame& frame) {
    if (progress) progress(frame.first);
    return copier.add(frame);
  });
  if (!read) return std::unexpected(read.error());
  if (auto copied = copy_index(**old, **copy); !copied) return std::unexpected(copied.error());
  if (auto done = copier.finish(*records); !done) return std::unexpected(done.error());
  return copier.count();
}

using StoreMetas = std::array<MetaPage, layout::meta_pages>;

// Of a log that was open a moment ago: the older one, then the newest.
Result<StoreMetas> read_metas(int file) {
  StoreMetas metas;
  if (::pread(file, metas.data(), sizeof(MetaPage), 0) != sizeof(MetaPage) ||
      ::pread(file, &metas[1], sizeof(MetaPage), metas[0].free_pages.padding) != sizeof(MetaPage)) {
    return fail_errno(errno, "read the log");
  }
  if (metas[0].transaction > metas[1].transaction) std::swap(metas[0], metas[1]);
  return metas;
}

// The copy's transactions go on behind those of the log it replaces: no record of a commit looks
// newer than its file then, and a reader that came in between finds the newest snapshot. Nor is one
// of them in front of those that its lists of free pages name.
Result<void> continue_transactions(const fs::path& old_store, const fs::path& copy) {
  FileDescriptor old_file(::open((old_store / pages_file).c_str(), O_RDONLY | O_CLOEXEC));
  FileDescriptor file(::open((copy / pages_file).c_str(), O_RDWR | O_CLOEXEC));
  if (!old_file.valid() || !file.valid()) return fail_errno(errno, "open the log");
  auto old_metas = read_metas(old_file.get());
  auto metas = read_metas(file.get());
  if (!old_metas) return std::unexpected(old_metas.error());
  if (!metas) return std::unexpected(metas.error());
  auto record = CommitFile::read(copy)[0];
  auto transaction = std::max((*old_metas)[1].transaction, (*metas)[1].transaction);
  for (MetaPage& meta : *metas) {
    meta.transaction = ++transaction;
    meta.header.number = transaction % layout::meta_pages;
    auto offset = static_cast<off_t>(meta.header.number * meta.free_pages.padding);
    if (::pwrite(file.get(), &meta, sizeof(meta), offset) != sizeof(meta)) {
      return fail_errno(errno, "write the log");
    }
  }
  if (::fdatasync(file.get()) != 0) return fail_errno(errno, "sync the log");
  CommitFile commits(copy);
  if (record) {
    record->transaction = transaction;
    record->meta_hash = hash_of((*metas)[1]);
    // In both slots: the other one would be of a transaction that never was.
    commits.write(*record);
    record->transaction = transaction - 1;
    record->meta_hash = hash_of((*metas)[0]);
    commits.write(*record);
  }
  return commits.sync();
}

Result<CompactReport> build(const fs::path& folder, const fs::path& building, const LogTail& tail,
                            const std::function<void(Position)>& progress) {
  std::error_code error;
  fs::create_directory(building, error);
  if (error) return fail_errno(error.value(), "create " + building.string());
  auto store = folder / store_folder;
  auto copy = building / store_folder;
  auto frames = copy_frames(store, copy, progress);
  if (!frames) return std::unexpected(frames.error());
  if (auto continued = continue_transactions(store, copy); !continued) {
    return std::unexpected(continued.error());
  }
  auto log = Log::open(building, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  auto verified = verify(**log);
  if (!verified) return std::unexpected(verified.error());
  if (verified->last != tail.last || verified->digest != tail.digest) {
    return fail(ErrorCode::corrupt, "the copy of the log is not like the log");
  }
  auto before = pages_bytes(store);
  auto after = pages_bytes(copy);
  if (!before || !after) return std::unexpected(before ? after.error() : before.error());
  return CompactReport{
      .last = tail.last, .frames = *frames, .bytes_before = *before, .bytes_after = *after};
}

Result<CompactReport> copy_and_replace(const fs::path& folder, const fs::path& building,
                                       const std::function<void(Position)>& progress) {
  auto store = folder / store_folder;
  if (auto alone = check_nobody_reads(store); !alone) return std::unexpected(alone.error());
  auto tail = [&]() -> Result<LogTail> {
    auto log = Log::open(folder, {.access = Access::read});
    if (!log) return std::unexpected(log.error());
    return (*log)->tail();
  }();
  if (!tail) return std::unexpected(tail.error());
  auto report = build(folder, building, *tail, progress);
  if (!report) return report;
  if (report->bytes_after >= report->bytes_before) {
    report->bytes_after = report->bytes_before;
    return report;
  }
  if (auto alone = check_nobody_reads(store); !alone) return std::unexpected(alone.error());
  auto copy = building / store_folder;
  // The copy packs frames in its own way: records of the old file would contradict it, and those of
  // the copy the old file. None is better than the wrong ones where a crash comes in between.
  std::error_code error;
  fs::remove(store / commits_file, error);
  if (error) return fail_errno(error.value(), "remove " + (store / commits_file).string());
  if (auto synced = sync_folder(store); !synced) return std::unexpected(synced.error());
  for (const char* name : {pages_file, commits_file}) {
    if (auto moved = rename_synced(copy / name, store / name); !moved) {
      return std::unexpected(moved.error());
    }
  }
  return report;
}

Result<bool> needs_journal(const fs::path& folder) {
  auto store = Store::open(folder / store_folder,
                           {.access = Access::read, .map_bytes = limits::map_bytes_default});
  if (!store) return std::unexpected(store.error());
  auto use = (*store)->journal_use();
  if (!use) return std::unexpected(use.error());
  return *use == JournalUse::open;
}

// Brings what is in the journal alone into the file. A log that was closed has nothing there, and
// is left as it is.
Result<void> settle_journal(const fs::path& folder) {
  auto needed = needs_journal(folder);
  if (!needed) return std::unexpected(needed.error());
  if (!*needed) return {};
  if (auto log = Log::open(folder, {.index = false}); !log) return std::unexpected(log.error());
  auto still = needs_journal(folder);
  if (!still) return std::unexpected(still.error());
  if (!*still) return {};
  return fail(ErrorCode::storage_full,
              "there is no room to bring what is in the journal into the log",
              "free some space; nothing was lost");
}

}  // namespace

Result<CompactReport> compact(const fs::path& folder,
                              const std::function<void(Position)>& progress) {
  auto exists = Store::exists(folder / store_folder);
  if (!exists) return std::unexpected(exists.error());
  if (!*exists) {
    return fail(ErrorCode::not_found, "there is no log in " + folder.string(),
                "name another folder with --dir");
  }
  if (auto settled = settle_journal(folder); !settled) return std::unexpected(settled.error());
  auto lock = WriteLock::take(folder);
  if (!lock) return std::unexpected(lock.error());
  auto building = folder / compacting_folder;
  std::error_code ignored;
  fs::remove_all(building, ignored);
  auto report = copy_and_replace(folder, building, progress);
  fs::remove_all(building, ignored);
  return report;
}

}  // namespace almanac
