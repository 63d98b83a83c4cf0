#include <almanac/log/store.h>

#include <almanac/log/codec.h>
#include <almanac/log/file.h>
#include <almanac/log/folder.h>
#include <almanac/log/limits.h>
#include <almanac/log/pack.h>
#include <almanac/log/precheck.h>
#include <almanac/log/store_environment.h>

#include <cerrno>
#include <iterator>

namespace almanac {
namespace {

namespace fs = std::filesystem;
using lmdb::Cursor;
using lmdb::to_val;
using lmdb::Transaction;

constexpr std::size_t creation_map_bytes = 1 * limits::mebibyte;

Result<IndexRecord> to_record(const MDB_val& key, const MDB_val& value) {
  IndexRecord record;
  if (key.mv_size != sizeof(StoredKey) || value.mv_size != sizeof(record.value)) {
    return fail(ErrorCode::corrupt, "the index of the log holds something else",
                "export the log and import it into a new folder: its index is made anew");
  }
  const auto* bytes = static_cast<const std::byte*>(key.mv_data);
  record.table = static_cast<IndexTable>(bytes[0]);
  std::memcpy(record.key.words.data(), bytes + 1, sizeof(record.key.words));
  std::memcpy(record.value.data(), value.mv_data, sizeof(record.value));
  return record;
}

}  // namespace

Store::Store(std::unique_ptr<Environment> environment) : environment_(std::move(environment)) {}
Store::~Store() = default;

// LMDB's very first commit is not safe against a power loss, so it happens in a folder of another
// name, and the log appears by a rename.
Result<void> Store::create(const fs::path& folder, const CreateOptions& options) {
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
  environment.commit_file = CommitFile(building);
  if (auto written = environment.write_meta(options); !written) return written;
  if (options.also) {
    if (auto also = options.also(building); !also) return also;
  }
  if (auto synced = environment.commit_file.sync(); !synced) return synced;
  if (auto synced = sync_folder(building); !synced) return synced;
  fs::rename(building, folder, error);
  if (error) return fail_errno(error.value(), "rename " + building.string());
  return sync_folder(folder.parent_path());
}

Result<bool> Store::exists(const fs::path& folder) {
  std::error_code error;
  bool there = fs::exists(folder / pages_file, error);
  if (error) return fail_errno(error.value(), "open " + folder.string());
  return there;
}

Result<std::unique_ptr<Store>> Store::open(const fs::path& folder, const OpenOptions& options) {
  bool reading = options.access == Access::read;
  auto checked = check_before_mapping(
      folder / pages_file, {.may_take_back = !reading, .replay_through = options.replay_through});
  if (!checked) return std::unexpected(checked.error());
  auto environment = std::make_unique<Environment>();
  environment->precheck = *checked;
  unsigned flags = (reading ? MDB_RDONLY : 0) | (options.registered ? 0 : MDB_NOLOCK);
  if (auto opened = environment->open(folder, options.map_bytes, flags); !opened) {
    return std::unexpected(opened.error());
  }
  if (auto opened = environment->open_databases(reading ? MDB_RDONLY : 0, 0); !opened) {
    return std::unexpected(opened.error());
  }
  if (auto read = environment->read_meta(); !read) return std::unexpected(read.error());
  if (auto same = environment->check_confirmed(); !same) return std::unexpected(same.error());
  if (!reading) {
    // Who made the last commit may have died before it was synced, and what is in it must not be
    // taken for durable: its place in the journal would be used again.
    int code = mdb_env_sync(environment->env, 1);
    if (code != 0) return lmdb::error(code, "sync the log in " + folder.parent_path().string());
    if (auto found = environment->find_end(); !found) return std::unexpected(found.error());
    environment->commit_file = CommitFile(folder);
  }
  return std::unique_ptr<Store>(new Store(std::move(environment)));
}

const Timeline& Store::timeline() const { return environment_->timeline; }
bool Store::recovered_from_older_commit() const { return environment_->precheck.took_back; }
Position Store::confirmed_last() const {
  const auto& confirmed = environment_->precheck.confirmed;
  return confirmed ? confirmed->last : Position();
}

Result<Position> Store::last() const {
  auto txn = Transaction::begin(environment_->env, MDB_RDONLY);
  if (!txn) return std::unexpected(txn.error());
  auto value = Cursor(txn->get(), environment_->frames).get(MDB_LAST);
  if (!value) return std::unexpected(value.error());
  return *value ? end_with(**value).last : Position();
}

// Values in the order of the cursor's operation, from the one that holds `from`, in slices.
Result<void> Store::read_values(Position from, int operation, const Visit& visit) const {
  for (Position next = from; next;) {
    auto txn = Transaction::begin(environment_->env, MDB_RDONLY);
    if (!txn) return std::unexpected(txn.error());
    Cursor cursor(txn->get(), environment_->frames);
    auto value = cursor.seek(next);
    next = Position();
    std::size_t bytes = 0;
    for (std::size_t values = 0; value && *value; ++values) {
      if (values == limits::read_slice_values || bytes >= limits::read_slice_bytes) {
        next = (*value)->first;
        break;
      }
      bytes += (*value)->value.size();
      auto more = visit(**value);
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
      value = cursor.get(static_cast<MDB_cursor_op>(operation));
    }
    if (!value) return std::unexpected(value.error());
  }
  return {};
}

Result<void> Store::read(Position from, const Visit& visit) const {
  return read_values(from, MDB_NEXT, [&](const Frame& value) -> Result<bool> {
    Pack pack(value.first, value.value);
    auto frame = pack.next();
    while (frame) {
      auto after = pack.next();
      // Of the frames in front of `from`, only the last one may hold it.
      bool in_front = after && after->first <= from;
      if (!in_front) {
        auto more = visit(*frame);
        if (!more || !*more) return more;
      }
      frame = after;
    }
    return true;
  });
}

Result<void> Store::read_backward(Position from, const Visit& visit) const {
  return read_values(from, MDB_PREV, [&](const Frame& value) -> Result<bool> {
    auto frames = frames_of(value);
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
      if (frame->first > from && frame != std::prev(frames.rend())) continue;
      auto more = visit(*frame);
      if (!more || !*more) return more;
    }
    return true;
  });
}

Result<void> Store::append(std::span<const Frame> frames, const StoreRecords& records) {
  if (auto space = environment_->check_space(frames); !space) return space;
  if (!records.index.empty()) {
    if (auto index = environment_->make_index(); !index) return index;
  }
  CommitRecord end = environment_->end;
  return environment_->write(
      [&](MDB_txn* txn) {
        int code = 0;
        for (auto rest = frames; code == 0 && !rest.empty();) {
          auto packed = rest.first(pack_length(rest));
          code = environment_->put_frames(txn, packed);
          end = end_with(packed.back());
          end.first = packed.front().first;
          rest = rest.subspan(packed.size());
        }
        return code != 0 ? code : environment_->put_records(txn, records);
      },
      &end);
}

void Store::sync_later() { environment_->sync_later(); }
Result<void> Store::sync() { return environment_->sync(); }

Result<JournalUse> Store::journal_use() const {
  auto use = environment_->read_meta<std::uint64_t>(store_meta::journal);
  if (!use) return std::unexpected(use.error());
  if (!*use) return JournalUse::none;
  return **use == static_cast<std::uint64_t>(JournalUse::open) ? JournalUse::open
                                                               : JournalUse::closed;
}

Result<void> Store::set_journal_use(JournalUse use) {
  return environment_->write([&](MDB_txn* txn) {
    return put_meta(txn, environment_->meta, store_meta::journal, static_cast<std::uint64_t>(use));
  });
}

Result<Store::Base> Store::base() const {
  auto stored = environment_->read_meta<StoredBase>(store_meta::base);
  if (!stored) return std::unexpected(stored.error());
  if (!*stored) return Base{};
  return Base{Position((*stored)->last), (*stored)->digest, Time(Duration((*stored)->micros))};
}

Result<std::optional<LogOrigin>> Store::origin() const {
  auto stored = environment_->read_meta<StoredOrigin>(store_meta::origin);
  if (!stored) return std::unexpected(stored.error());
  if (!*stored) return std::nullopt;
  return LogOrigin{.timeline = (*stored)->timeline,
                   .position = Position((*stored)->position),
                   .chain = (*stored)->chain,
                   .forked = Time(Duration((*stored)->micros))};
}

// The last value stays: it is how the store knows where it ends.
Result<Store::Removed> Store::remove(Position through) {
  if (auto checked = environment_->check_removable(); !checked) {
    return std::unexpected(checked.error());
  }
  Removed removed;
  auto base = this->base();
  if (!base) return std::unexpected(base.error());
  auto written = environment_->write([&](MDB_txn* txn) {
    Cursor cursor(txn, environment_->frames);
    auto value = cursor.get(MDB_FIRST);
    int code = 0;
    while (code == 0 && value && *value && removed.values < limits::trim_slice_values) {
      auto bytes = (*value)->value.size();
      auto last = last_of(**value);
      auto reader = FrameReader::open(last.value, FrameTrust::verified);
      if (!reader) return MDB_CORRUPTED;
      auto event = reader->event(reader->header().count - 1);
      if (!event) return MDB_CORRUPTED;
      auto next = cursor.get(MDB_NEXT);
      if (!next || !*next || reader->header().last() > through) break;
      base = Base{reader->header().last(), reader->digest(), event->at};
      code = cursor.get(MDB_FIRST) ? cursor.remove() : MDB_CORRUPTED;
      removed.values += 1;
      removed.bytes += bytes;
      value = cursor.get(MDB_FIRST);
    }
    if (code != 0 || removed.values == 0) return code;
    return put_base(txn, environment_->meta, *base);
  });
  if (!written) return std::unexpected(written.error());
  return removed;
}

Result<void> Store::remove(std::span<const IndexRecord> records) {
  const auto index = environment_->index.load();
  if (!index) return {};
  return environment_->write([&](MDB_txn* txn) {
    for (const IndexRecord& record : records) {
      auto stored = stored_key(record.table, record.key);
      MDB_val key = to_val(Bytes(stored));
      int code = mdb_del(txn, *index, &key, nullptr);
      if (code != 0 && code != MDB_NOTFOUND) return code;
    }
    return 0;
  });
}

Result<Position> Store::checkpoint() const {
  auto stored = environment_->read_meta<std::uint64_t>(store_meta::checkpoint);
  if (!stored) return std::unexpected(stored.error());
  return Position(stored->value_or(0));
}

Result<void> Store::set_checkpoint(Position position) {
  return environment_->write([&](MDB_txn* txn) {
    return put_meta(txn, environment_->meta, store_meta::checkpoint, position.value);
  });
}

Result<Position> Store::indexed_through() const {
  auto stored = environment_->read_meta<std::uint64_t>(store_meta::indexed);
  if (!stored) return std::unexpected(stored.error());
  return Position(stored->value_or(0));
}

Result<std::optional<IndexRecord>> Store::find(IndexTable table, const IndexKey& key) const {
  auto records = find_from(table, key, 1);
  if (!records) return std::unexpected(records.error());
  if (records->empty() || records->front().key.words != key.words) return std::nullopt;
  return records->front();
}

Result<std::vector<IndexRecord>> Store::find_from(IndexTable table, const IndexKey& from,
                                                  std::size_t count_max) const {
  std::vector<IndexRecord> records;
  const auto index = environment_->index.load();
  if (!index) return records;
  auto txn = Transaction::begin(environment_->env, MDB_RDONLY);
  if (!txn) return std::unexpected(txn.error());
  MDB_cursor* cursor = nullptr;
  int code = mdb_cursor_open(txn->get(), *index, &cursor);
  if (code != 0) return lmdb::error(code, "read the index");
  auto stored = stored_key(table, from);
  MDB_val key = to_val(Bytes(stored));
  MDB_val value{};
  code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
  Result<void> read;
  while (code == 0 && records.size() < count_max) {
    auto record = to_record(key, value);
    if (!record) read = std::unexpected(record.error());
    if (!record || record->table != table) break;
    records.push_back(*record);
    code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
  }
  mdb_cursor_close(cursor);
  if (!read) return std::unexpected(read.error());
  if (code != 0 && code != MDB_NOTFOUND) return lmdb::error(code, "read the index");
  return records;
}

Result<Store::Size> Store::size() const {
  MDB_envinfo info;
  MDB_stat stat;
  int code = mdb_env_info(environment_->env, &info);
  if (code == 0) code = mdb_env_stat(environment_->env, &stat);
  if (code != 0) return lmdb::error(code, "measure the log");
  auto free = environment_->free_bytes();
  if (!free) return std::unexpected(free.error());
  return Size{(info.me_last_pgno + 1) * stat.ms_psize, *free, environment_->map_limit};
}

}  // namespace almanac
