#include <almanac/log/store.h>

#include <almanac/log/file.h>
#include <almanac/log/hash.h>
#include <almanac/log/limits.h>
#include <almanac/log/precheck.h>

#include <lmdb.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t store_format = 1;
constexpr const char* data_file = "data.mdb";
constexpr const char* frames_database = "frames";
constexpr const char* meta_database = "meta";
constexpr std::string_view format_key = "format";
constexpr std::string_view timeline_key = "timeline";
constexpr std::size_t creation_map_bytes = 1 * limits::mebibyte;
constexpr unsigned readers_max = 256;
constexpr std::uint64_t page_bytes =
    4096;  // LMDB takes the system's; only room is reckoned with it
constexpr std::uint64_t commit_pages_spare = 64;
// A reader that was killed in a transaction keeps the pages it read from being used again until
// someone looks for it, which this many commits later the writer does.
constexpr std::uint64_t reader_check_interval = 64;

static_assert(sizeof(MDB_val::mv_size) == sizeof(std::uint64_t), "keys are 8-byte integers");

std::unexpected<Error> store_error(int code, std::string_view what) {
  switch (code) {
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INCOMPATIBLE:
      return fail(ErrorCode::corrupt, "cannot " + std::string(what) + ": " + mdb_strerror(code));
    case MDB_VERSION_MISMATCH:
      return fail(ErrorCode::newer_format,
                  "cannot " + std::string(what) + ": " + mdb_strerror(code));
    case MDB_MAP_FULL:
      return fail(ErrorCode::storage_full, "the log has reached its largest size",
                  "free space by removing old logs, or open it with a larger map");
    case MDB_READERS_FULL:
      return fail(ErrorCode::busy, "too many processes read this log", "close some of them");
    default: break;
  }
  if (code > 0) return fail_errno(code, what);
  return fail(ErrorCode::io, "cannot " + std::string(what) + ": " + mdb_strerror(code));
}

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

MDB_val to_val(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }
MDB_val to_val(const std::uint64_t& number) {
  return {sizeof(number), const_cast<std::uint64_t*>(&number)};
}
Bytes to_bytes(const MDB_val& value) {
  return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

// A transaction that aborts unless it was committed.
class Transaction {
 public:
  static Result<Transaction> begin(MDB_env* env, unsigned flags) {
    MDB_txn* txn = nullptr;
    int code = mdb_txn_begin(env, nullptr, flags, &txn);
    if (code == MDB_READERS_FULL && mdb_reader_check(env, nullptr) == 0) {
      code = mdb_txn_begin(env, nullptr, flags, &txn);
    }
    if (code != 0) return store_error(code, "begin a transaction");
    return Transaction(txn);
  }
  Transaction(Transaction&& other) noexcept : txn_(std::exchange(other.txn_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() {
    if (txn_ != nullptr) mdb_txn_abort(txn_);
  }
  [[nodiscard]] int commit() { return mdb_txn_commit(std::exchange(txn_, nullptr)); }
  [[nodiscard]] MDB_txn* get() const { return txn_; }

 private:
  explicit Transaction(MDB_txn* txn) : txn_(txn) {}
  MDB_txn* txn_;
};

class Cursor {
 public:
  Cursor(MDB_txn* txn, MDB_dbi dbi) { opened_ = mdb_cursor_open(txn, dbi, &cursor_); }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor() {
    if (opened_ == 0) mdb_cursor_close(cursor_);
  }
  // Empty at the end of the database.
  Result<std::optional<Store::Frame>> get(MDB_cursor_op operation, std::uint64_t position = 0) {
    if (opened_ != 0) return store_error(opened_, "read the log");
    MDB_val key = to_val(position);
    MDB_val value{};
    int code = mdb_cursor_get(cursor_, &key, &value, operation);
    if (code == MDB_NOTFOUND) return std::nullopt;
    if (code != 0) return store_error(code, "read the log");
    if (key.mv_size != sizeof(std::uint64_t)) {
      return fail(ErrorCode::corrupt, "the log holds a key that is not a position");
    }
    std::uint64_t first = 0;
    std::memcpy(&first, key.mv_data, sizeof(first));
    return Store::Frame{Position(first), to_bytes(value)};
  }
  // The frame that holds `position`: the last one that does not begin behind it; the first where
  // all do, because the front is missing.
  Result<std::optional<Store::Frame>> seek(Position position) {
    auto found = get(MDB_SET_RANGE, position.value);
    if (!found || (*found && (*found)->first == position)) return found;
    if (!*found) return get(MDB_LAST);
    auto before = get(MDB_PREV);
    return before && !*before ? get(MDB_FIRST) : before;
  }

 private:
  MDB_cursor* cursor_ = nullptr;
  int opened_ = 0;
};

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

struct Store::Environment {
  ~Environment() {
    if (env != nullptr) mdb_env_close(env);
    if (registered) OpenFiles::instance().remove(file);
  }
  Result<void> open(const fs::path& folder, std::size_t map_bytes, unsigned flags);
  Result<void> open_databases(unsigned transaction_flags, unsigned database_flags);
  Result<void> read_meta();
  Result<void> write_meta();
  Result<void> check_space(std::span<const Frame> added) const;

  MDB_env* env = nullptr;
  MDB_dbi frames = 0;
  MDB_dbi meta = 0;
  Timeline timeline{};
  OpenFiles::FileId file{};
  bool registered = false;
  std::uint64_t commits = 0;
};

Result<void> Store::Environment::open(const fs::path& folder, std::size_t map_bytes,
                                      unsigned flags) {
  struct stat status;
  if (::stat((folder / data_file).c_str(), &status) == 0) {
    file = {status.st_dev, status.st_ino};
    registered = OpenFiles::instance().add(file);
    if (!registered) {
      return fail(ErrorCode::conflict,
                  "this process already has the log in " + folder.parent_path().string() + " open",
                  "share the one that is open");
    }
  }
  int code = mdb_env_create(&env);
  if (code == 0) code = mdb_env_set_mapsize(env, map_bytes);
  if (code == 0) code = mdb_env_set_maxdbs(env, 2);
  if (code == 0) code = mdb_env_set_maxreaders(env, readers_max);
  if (code == 0) code = mdb_env_open(env, folder.c_str(), flags | MDB_NOTLS, 0600);
  if (code != 0) return store_error(code, "open the log in " + folder.parent_path().string());
  return {};
}

Result<void> Store::Environment::open_databases(unsigned transaction_flags,
                                                unsigned database_flags) {
  auto txn = Transaction::begin(env, transaction_flags);
  if (!txn) return std::unexpected(txn.error());
  int code = mdb_dbi_open(txn->get(), frames_database, database_flags | MDB_INTEGERKEY, &frames);
  if (code == 0) code = mdb_dbi_open(txn->get(), meta_database, database_flags, &meta);
  if (code == MDB_NOTFOUND) return fail(ErrorCode::corrupt, "the file is not a log of Almanac");
  if (code == 0) code = txn->commit();
  if (code != 0) return store_error(code, "open the log");
  return {};
}

Result<void> Store::Environment::write_meta() {
  auto txn = Transaction::begin(env, 0);
  if (!txn) return std::unexpected(txn.error());
  auto format = static_cast<std::uint64_t>(store_format);
  fill_random(timeline);
  MDB_val key = to_val(format_key);
  MDB_val value = to_val(format);
  int code = mdb_put(txn->get(), meta, &key, &value, 0);
  key = to_val(timeline_key);
  value = to_val(as_text(timeline));
  if (code == 0) code = mdb_put(txn->get(), meta, &key, &value, 0);
  if (code == 0) code = txn->commit();
  if (code != 0) return store_error(code, "create the log");
  return {};
}

Result<void> Store::Environment::read_meta() {
  auto txn = Transaction::begin(env, MDB_RDONLY);
  if (!txn) return std::unexpected(txn.error());
  MDB_val key = to_val(format_key);
  MDB_val value{};
  std::uint64_t format = 0;
  if (mdb_get(txn->get(), meta, &key, &value) != 0 || value.mv_size != sizeof(format)) {
    return fail(ErrorCode::corrupt, "the log does not say which format it has");
  }
  std::memcpy(&format, value.mv_data, sizeof(format));
  if (format != store_format) {
    return fail(ErrorCode::newer_format,
                "the log has format " + std::to_string(format) + ", this version reads format " +
                    std::to_string(store_format),
                "use the version of Almanac that wrote it, or a later one");
  }
  key = to_val(timeline_key);
  if (mdb_get(txn->get(), meta, &key, &value) != 0 || value.mv_size != timeline.size()) {
    return fail(ErrorCode::corrupt, "the log does not say which timeline it is");
  }
  std::memcpy(timeline.data(), value.mv_data, timeline.size());
  return {};
}

Result<void> Store::Environment::check_space(std::span<const Frame> added) const {
  struct statvfs disk;
  int file_descriptor = -1;
  if (mdb_env_get_fd(env, &file_descriptor) != 0 || ::fstatvfs(file_descriptor, &disk) != 0) {
    return {};
  }
  std::uint64_t needed = 0;
  for (const Frame& frame : added) {
    needed += (frame.value.size() / page_bytes + 2) * page_bytes;
  }
  return check_room(disk, needed);
}

Store::Store(std::unique_ptr<Environment> environment) : environment_(std::move(environment)) {}
Store::~Store() = default;

// LMDB's very first commit is not safe against a power loss, so it happens in a folder of another
// name, and the log appears by a rename.
Result<void> Store::create(const fs::path& folder) {
  struct statvfs disk;
  if (::statvfs(folder.parent_path().c_str(), &disk) == 0) {
    if (auto room = check_room(disk, 0); !room) return room;
  }
  fs::path building = folder;
  building += ".creating";
  std::error_code ignored;
  fs::remove_all(building, ignored);
  std::error_code error;
  if (!fs::create_directory(building, error)) {
    return fail_errno(error.value(), "create " + building.string());
  }
  Environment environment;
  if (auto opened = environment.open(building, creation_map_bytes, 0); !opened) return opened;
  if (auto made = environment.open_databases(0, MDB_CREATE); !made) return made;
  if (auto written = environment.write_meta(); !written) return written;
  if (auto synced = sync_folder(building); !synced) return synced;
  fs::rename(building, folder, error);
  if (error) return fail_errno(error.value(), "rename " + building.string());
  return sync_folder(folder.parent_path());
}

Result<bool> Store::exists(const fs::path& folder) {
  std::error_code error;
  bool there = fs::exists(folder / data_file, error);
  if (error) return fail_errno(error.value(), "open " + folder.string());
  return there;
}

Result<std::unique_ptr<Store>> Store::open(const fs::path& folder, const OpenOptions& options) {
  if (auto checked = check_before_mapping(folder / data_file); !checked) {
    return std::unexpected(checked.error());
  }
  bool reading = options.access == Access::read;
  auto environment = std::make_unique<Environment>();
  unsigned flags = (reading ? MDB_RDONLY : 0) | (options.registered ? 0 : MDB_NOLOCK);
  if (auto opened = environment->open(folder, options.map_bytes, flags); !opened) {
    return std::unexpected(opened.error());
  }
  if (auto opened = environment->open_databases(reading ? MDB_RDONLY : 0, 0); !opened) {
    return std::unexpected(opened.error());
  }
  if (auto read = environment->read_meta(); !read) return std::unexpected(read.error());
  return std::unique_ptr<Store>(new Store(std::move(environment)));
}

const Timeline& Store::timeline() const { return environment_->timeline; }

Result<Position> Store::last_key() const {
  auto txn = Transaction::begin(environment_->env, MDB_RDONLY);
  if (!txn) return std::unexpected(txn.error());
  auto frame = Cursor(txn->get(), environment_->frames).get(MDB_LAST);
  if (!frame) return std::unexpected(frame.error());
  return *frame ? (*frame)->first : Position();
}

Result<void> Store::read(Position from, const Visit& visit) const {
  for (Position next = from; next;) {
    auto txn = Transaction::begin(environment_->env, MDB_RDONLY);
    if (!txn) return std::unexpected(txn.error());
    Cursor cursor(txn->get(), environment_->frames);
    auto frame = next == from ? cursor.seek(next) : cursor.get(MDB_SET_RANGE, next.value);
    next = Position();
    std::size_t bytes = 0;
    for (std::size_t frames = 0; frame && *frame; ++frames, frame = cursor.get(MDB_NEXT)) {
      if (frames == limits::read_slice_frames || bytes >= limits::read_slice_bytes) {
        next = (*frame)->first;
        break;
      }
      bytes += (*frame)->value.size();
      auto more = visit(**frame);
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
    }
    if (!frame) return std::unexpected(frame.error());
  }
  return {};
}

Result<void> Store::append(std::span<const Frame> frames) {
  if (environment_->commits++ % reader_check_interval == 0) {
    (void)mdb_reader_check(environment_->env, nullptr);
  }
  if (auto space = environment_->check_space(frames); !space) return space;
  auto txn = Transaction::begin(environment_->env, 0);
  if (!txn) return std::unexpected(txn.error());
  int code = 0;
  for (const Frame& frame : frames) {
    ALMANAC_CHECK(frame.value.size() % sizeof(std::uint64_t) == 0);
    MDB_val key = to_val(frame.first.value);
    MDB_val value{frame.value.size(), const_cast<std::byte*>(frame.value.data())};
    code = mdb_put(txn->get(), environment_->frames, &key, &value, MDB_APPEND);
    if (code != 0) break;
  }
  if (code == 0) code = txn->commit();
  if (code == 0) return {};
  auto error = store_error(code, "write to the log");
  if (error.error().code == ErrorCode::storage_full) return error;
  return fail(ErrorCode::unknown_outcome, error.error().message,
              "the last events may or may not be on disk; open the log again to see");
}

}  // namespace almanac
