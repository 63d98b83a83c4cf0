#include <almanac/log/store_environment.h>

#include <almanac/log/codec.h>
#include <almanac/log/folder.h>
#include <almanac/log/hash.h>
#include <almanac/log/limits.h>
#include <almanac/log/pack.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <set>

namespace almanac {
namespace {

namespace fs = std::filesystem;
using lmdb::Transaction;

constexpr std::uint64_t store_format = 1;
constexpr const char* frames_database = "frames";
constexpr const char* meta_database = "meta";
constexpr const char* index_database = "index";
constexpr std::size_t map_spare_bytes = limits::mebibyte;
constexpr unsigned databases_max = 3;
constexpr unsigned readers_max = 256;
constexpr std::uint64_t page_bytes =
    4096;  // LMDB takes the system's; only room is reckoned with it
constexpr std::uint64_t commit_pages_spare = 64;
// A reader that was killed in a transaction keeps the pages it read from being used again until
// someone looks for it, which this many commits later the writer does.
constexpr std::uint64_t reader_check_interval = 64;

Result<void> not_written(int code) {
  auto error = lmdb::error(code, "write to the log");
  if (error.error().code == ErrorCode::storage_full) return error;
  return fail(ErrorCode::unknown_outcome, error.error().message,
              "the last events may or may not be on disk; open the log again to see");
}

// LMDB's locks break when one process opens a file twice; this table makes that an error.
class OpenFiles {
 public:
  using FileId = std::pair<dev_t, ino_t>;
  static OpenFiles& instance() {
    static OpenFiles files;
    return files;
  }
  bool add(FileId id) {
    std::lock_guard guard(mutex_);
    return ids_.insert(id).second;
  }
  void remove(FileId id) {
    std::lock_guard guard(mutex_);
    ids_.erase(id);
  }

 private:
  std::mutex mutex_;
  std::set<FileId> ids_;
};

}  // namespace

// LMDB answers a write that the full disk cut short with EIO, after which nobody knows what is on
// it, and a page of a mapped file that finds no room kills the process. So neither a commit nor a
// log is begun unless the disk has room for it: the frames by themselves, and the pages above them
// that are written anew. Another process may still take that room; then the outcome is unknown.
Result<void> check_room(const struct statvfs& disk, std::uint64_t frame_bytes) {
  auto needed = commit_pages_spare * page_bytes + frame_bytes;
  if (std::uint64_t{disk.f_bavail} * disk.f_frsize >= needed) return {};
  return fail(ErrorCode::storage_full, "the disk is too full to write to the log",
              "free some space; nothing was changed");
}

void forget_open_file(std::pair<dev_t, ino_t> file) { OpenFiles::instance().remove(file); }

Result<void> Store::Environment::open(const fs::path& folder, std::size_t map_bytes,
                                      unsigned flags) {
  struct stat status;
  if (::stat((folder / pages_file).c_str(), &status) == 0) {
    file = {status.st_dev, status.st_ino};
    registered = OpenFiles::instance().add(file);
    if (!registered) {
      return fail(ErrorCode::conflict,
                  "this process already has the log in " + folder.parent_path().string() + " open",
                  "share the one that is open");
    }
  }
  int code = mdb_env_create(&env);
  // Removing frames needs pages too: what goes beyond the size asked for is kept for that.
  map_limit = map_bytes;
  if (code == 0 && map_bytes != 0) {
    auto there = static_cast<std::size_t>(registered ? status.st_size : 0);
    code = mdb_env_set_mapsize(env, std::max(map_bytes, there) + map_spare_bytes);
  }
  if (code == 0) code = mdb_env_set_maxdbs(env, databases_max);
  if (code == 0) code = mdb_env_set_maxreaders(env, readers_max);
  if (code == 0) code = mdb_env_open(env, folder.c_str(), flags | MDB_NOTLS, 0600);
  if (code != 0) return lmdb::error(code, "open the log in " + folder.parent_path().string());
  return {};
}

Result<void> Store::Environment::open_databases(unsigned transaction_flags,
                                                unsigned database_flags) {
  auto txn = Transaction::begin(env, transaction_flags);
  if (!txn) return std::unexpected(txn.error());
  int code = mdb_dbi_open(txn->get(), frames_database, database_flags | MDB_INTEGERKEY, &frames);
  if (code == 0) code = mdb_dbi_open(txn->get(), meta_database, database_flags, &meta);
  if (code == MDB_NOTFOUND) return fail(ErrorCode::corrupt, "the file is not a log of Almanac");
  MDB_dbi found = 0;
  if (code == 0 && mdb_dbi_open(txn->get(), index_database, 0, &found) == 0) index = found;
  if (code == 0) code = txn->commit();
  if (code != 0) return lmdb::error(code, "open the log");
  return {};
}

Result<void> Store::Environment::write_meta(const CreateOptions& options) {
  if (options.timeline) {
    timeline = *options.timeline;
  } else {
    fill_random(timeline);
  }
  return write([&](MDB_txn* txn) {
    int code = mdb_dbi_open(txn, frames_database, MDB_CREATE | MDB_INTEGERKEY, &frames);
    if (code == 0) code = mdb_dbi_open(txn, meta_database, MDB_CREATE, &meta);
    if (code == 0) code = put_meta(txn, meta, store_meta::format, store_format);
    if (code == 0) code = put_meta(txn, meta, store_meta::timeline, Bytes(timeline));
    if (code != 0 || options.journal == JournalUse::none) return code;
    return put_meta(txn, meta, store_meta::journal, static_cast<std::uint64_t>(options.journal));
  });
}

Result<void> Store::Environment::read_meta() {
  auto format = read_meta<std::uint64_t>(store_meta::format);
  if (!format) return std::unexpected(format.error());
  if (!*format) return fail(ErrorCode::corrupt, "the log does not say which format it has");
  if (**format != store_format) {
    return fail(ErrorCode::newer_format,
                "the log has format " + std::to_string(**format) + ", this version reads format " +
                    std::to_string(store_format),
                "use the version of Almanac that wrote it, or a later one");
  }
  auto identity = read_meta<Timeline>(store_meta::timeline);
  if (!identity) return std::unexpected(identity.error());
  if (!*identity) return fail(ErrorCode::corrupt, "the log does not say which timeline it is");
  timeline = **identity;
  return {};
}

Result<void> Store::Environment::write(const std::function<int(MDB_txn*)>& change,
                                       const CommitRecord* new_end) {
  std::lock_guard guard(writing);
  if (commits++ % reader_check_interval == 0) (void)mdb_reader_check(env, nullptr);
  auto txn = Transaction::begin(env, 0);
  if (!txn) return std::unexpected(txn.error());
  int code = change(txn->get());
  if (code == 0) code = txn->commit();
  if (code != 0) return not_written(code);
  if (new_end != nullptr) end = *new_end;
  if (syncs_later) {
    begin_to_sync();
  } else {
    record_commit();
  }
  return {};
}

void Store::Environment::sync_later() {
  std::lock_guard guard(writing);
  ALMANAC_CHECK(mdb_env_set_flags(env, MDB_NOSYNC, 1) == 0);
  syncs_later = true;
}

Result<void> Store::Environment::sync() {
  std::lock_guard guard(writing);
  if (int code = mdb_env_sync(env, 1); code != 0) return not_written(code);
  record_commit();
  return {};
}

// So that little is left to be waited for. Where it fails, so does what waits.
void Store::Environment::begin_to_sync() const {
  constexpr off_t to_the_end = 0;
  int file_descriptor = -1;
  if (mdb_env_get_fd(env, &file_descriptor) != 0) return;
  (void)::sync_file_range(file_descriptor, 0, to_the_end, SYNC_FILE_RANGE_WRITE);
}

// In a transaction of its own: other threads may read a database once that is committed.
Result<void> Store::Environment::make_index() {
  if (index.load()) return {};
  MDB_dbi made = 0;
  auto written =
      write([&](MDB_txn* txn) { return mdb_dbi_open(txn, index_database, MDB_CREATE, &made); });
  if (written) index = made;
  return written;
}

// Whether frames of so many bytes fit into the size the map was asked to have: behind the file's
// end, or else into what is free inside it.
Result<void> Store::Environment::check_map(std::uint64_t bytes) const {
  MDB_envinfo info;
  if (mdb_env_info(env, &info) != 0) return {};
  auto needed = bytes + commit_pages_spare * page_bytes / 4;
  if ((info.me_last_pgno + 1) * page_bytes + needed <= map_limit) return {};
  auto free = free_bytes();
  if (free && *free >= 2 * needed) return {};
  return lmdb::error(MDB_MAP_FULL, "write to the log");
}

Result<void> Store::Environment::check_space(std::span<const Frame> added) const {
  std::uint64_t needed = 0;
  for (const Frame& frame : added) {
    needed += (frame.value.size() / page_bytes + 2) * page_bytes;
  }
  if (auto fits = check_map(needed); !fits) return fits;
  struct statvfs disk;
  int file_descriptor = -1;
  if (mdb_env_get_fd(env, &file_descriptor) != 0 || ::fstatvfs(file_descriptor, &disk) != 0) {
    return {};
  }
  return check_room(disk, needed);
}

// The free pages are listed in database 0, in records that begin with their number.
Result<std::uint64_t> Store::Environment::free_bytes() const {
  constexpr MDB_dbi free_pages = 0;
  auto txn = Transaction::begin(env, MDB_RDONLY);
  if (!txn) return std::unexpected(txn.error());
  MDB_cursor* cursor = nullptr;
  int code = mdb_cursor_open(txn->get(), free_pages, &cursor);
  if (code != 0) return lmdb::error(code, "measure the log");
  MDB_val key{};
  MDB_val value{};
  std::uint64_t pages = 0;
  while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
    std::uint64_t count = 0;
    if (value.mv_size >= sizeof(count)) std::memcpy(&count, value.mv_data, sizeof(count));
    pages += count;
  }
  mdb_cursor_close(cursor);
  return pages * page_bytes;
}

int Store::Environment::put_records(MDB_txn* txn, const StoreRecords& records) {
  int code = 0;
  for (const IndexRecord& record : records.index) {
    auto stored = stored_key(record.table, record.key);
    MDB_val key = lmdb::to_val(Bytes(stored));
    MDB_val value = lmdb::to_val(std::as_bytes(std::span(record.value)));
    if (code == 0) code = mdb_put(txn, *index.load(), &key, &value, 0);
  }
  if (code == 0 && records.indexed_through) {
    code = put_meta(txn, meta, store_meta::indexed, records.indexed_through->value);
  }
  if (code == 0 && records.journal_use) {
    code =
        put_meta(txn, meta, store_meta::journal, static_cast<std::uint64_t>(*records.journal_use));
  }
  if (code == 0 && records.base) code = put_base(txn, meta, *records.base);
  if (code == 0 && records.checkpoint) {
    code = put_meta(txn, meta, store_meta::checkpoint, records.checkpoint->value);
  }
  if (code == 0 && records.origin) {
    const LogOrigin& origin = *records.origin;
    const StoredOrigin stored{origin.timeline, origin.position.value,
                              origin.forked.time_since_epoch().count(), origin.chain};
    code = put_meta(txn, meta, store_meta::origin, std::as_bytes(std::span(&stored, 1)));
  }
  return code;
}

int put_base(MDB_txn* txn, MDB_dbi meta, const Store::Base& base) {
  StoredBase stored{base.last.value, base.time.time_since_epoch().count(), base.digest};
  return put_meta(txn, meta, store_meta::base, std::as_bytes(std::span(&stored, 1)));
}

// One value of one frame or several, which are copied right into the map.
int Store::Environment::put_frames(MDB_txn* txn, std::span<const Frame> packed) {
  std::size_t bytes = 0;
  for (const Frame& frame : packed) {
    ALMANAC_CHECK(frame.value.size() % sizeof(std::uint64_t) == 0);
    bytes += frame.value.size();
  }
  MDB_val key = lmdb::to_val(packed.front().first.value);
  MDB_val value{bytes, nullptr};
  int code = mdb_put(txn, frames, &key, &value, MDB_APPEND | MDB_RESERVE);
  if (code != 0) return code;
  auto* place = static_cast<std::byte*>(value.mv_data);
  for (const Frame& frame : packed) {
    std::memcpy(place, frame.value.data(), frame.value.size());
    place += frame.value.size();
  }
  return 0;
}

CommitRecord end_with(const Store::Frame& value) {
  auto last = last_of(value);
  CommitRecord end{
      .first = value.first, .last = last.first, .digest = stored_frame_digest(last.value)};
  auto reader = FrameReader::open(last.value, FrameTrust::verified);
  if (reader) end.last = reader->header().last();
  return end;
}

// Where the last commit ended, when the store is opened for writing.
Result<void> Store::Environment::find_end() {
  auto txn = Transaction::begin(env, MDB_RDONLY);
  if (!txn) return std::unexpected(txn.error());
  auto frame = lmdb::Cursor(txn->get(), frames).get(MDB_LAST);
  if (!frame) return std::unexpected(frame.error());
  if (*frame) end = end_with(**frame);
  return {};
}

// Remembers the commit that has just been made.
void Store::Environment::record_commit() {
  MDB_envinfo info;
  MDB_stat stat;
  int file_descriptor = -1;
  if (mdb_env_info(env, &info) != 0 || mdb_env_stat(env, &stat) != 0 ||
      mdb_env_get_fd(env, &file_descriptor) != 0) {
    return;
  }
  layout::MetaPage page;
  auto offset = static_cast<off_t>(info.me_last_txnid % layout::meta_pages * stat.ms_psize);
  if (::pread(file_descriptor, &page, sizeof(page), offset) != sizeof(page)) return;
  CommitRecord record = end;
  record.transaction = info.me_last_txnid;
  record.meta_hash = hash_of(page);
  record.timeline = timeline;
  commit_file.write(record);
}

// The frame that was once the last one is still what it was, unless it will be appended again.
Result<void> Store::Environment::check_confirmed() const {
  const auto& confirmed = precheck.confirmed;
  if (!confirmed) return {};
  if (confirmed->timeline != timeline) {
    return fail(ErrorCode::corrupt, "the log and the record of its commits are of different logs",
                "put back the files that belong together");
  }
  if (!confirmed->first) return {};
  auto txn = Transaction::begin(env, MDB_RDONLY);
  if (!txn) return std::unexpected(txn.error());
  auto frame = lmdb::Cursor(txn->get(), frames).get(MDB_SET_RANGE, confirmed->first.value);
  if (!frame) return std::unexpected(frame.error());
  if (!*frame || (*frame)->first != confirmed->first) return {};
  // Where damage hides where the last one begins, reading finds it in its place.
  auto last = last_of(**frame);
  auto positions = stored_frame_positions(last.value);
  if (!positions || positions->first.value + positions->count - 1 != confirmed->last.value)
    return {};
  if (stored_frame_digest(last.value) == confirmed->digest) return {};
  return fail(ErrorCode::corrupt, "a frame is not the one that was committed (at position " +
                                      std::to_string(last.first.value) + ")");
}

Result<void> Store::Environment::check_removable() {
  std::lock_guard guard(writing);
  if (removable) return {};
  const char* folder = nullptr;
  int file_descriptor = -1;
  int code = mdb_env_get_path(env, &folder);
  if (code == 0) code = mdb_env_get_fd(env, &file_descriptor);
  if (code != 0) return lmdb::error(code, "read the log");
  auto checked = check_before_removing(file_descriptor, fs::path(folder) / pages_file);
  removable = checked.has_value();
  return checked;
}

}  // namespace almanac
