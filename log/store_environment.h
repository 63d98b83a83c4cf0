// The LMDB environment of a store: opened, its databases and small records. Internal to the store.
#pragma once

#include <almanac/log/commit_record.h>
#include <almanac/log/error.h>
#include <almanac/log/lmdb.h>
#include <almanac/log/precheck.h>
#include <almanac/log/store.h>

#include <sys/statvfs.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace almanac {

// What the log says about itself: small values under names.
inline int put_meta(MDB_txn* txn, MDB_dbi meta, std::string_view name, Bytes bytes) {
  MDB_val key = lmdb::to_val(name);
  MDB_val value = lmdb::to_val(bytes);
  return mdb_put(txn, meta, &key, &value, 0);
}
inline int put_meta(MDB_txn* txn, MDB_dbi meta, std::string_view name, std::uint64_t number) {
  return put_meta(txn, meta, name, std::as_bytes(std::span(&number, 1)));
}

// Errors: corrupt when it is there in another size. Empty when it is not there.
template <class Value>
Result<std::optional<Value>> get_meta(MDB_txn* txn, MDB_dbi meta, std::string_view name) {
  MDB_val key = lmdb::to_val(name);
  MDB_val value{};
  int code = mdb_get(txn, meta, &key, &value);
  if (code == MDB_NOTFOUND) return std::nullopt;
  if (code != 0) return lmdb::error(code, "read the log");
  Value read;
  if (value.mv_size != sizeof(read)) {
    return fail(ErrorCode::corrupt, "the log's record called " + std::string(name) + " is damaged");
  }
  std::memcpy(&read, value.mv_data, sizeof(read));
  return read;
}

// Names of the records.
namespace store_meta {
inline constexpr std::string_view format = "format";
inline constexpr std::string_view timeline = "timeline";
inline constexpr std::string_view journal = "journal";
inline constexpr std::string_view base = "base";
inline constexpr std::string_view checkpoint = "checkpoint";
inline constexpr std::string_view indexed = "indexed";
inline constexpr std::string_view origin = "origin";
}  // namespace store_meta

// Whether the disk has room for a commit, or a new log. Errors: storage_full.
[[nodiscard]] Result<void> check_room(const struct statvfs& disk, std::uint64_t frame_bytes);

// A key of the index as it is stored: which table, then its words.
using StoredKey = std::array<std::byte, 1 + sizeof(IndexKey)>;
inline StoredKey stored_key(IndexTable table, const IndexKey& key) {
  StoredKey stored;
  stored[0] = static_cast<std::byte>(table);
  std::memcpy(stored.data() + 1, key.words.data(), sizeof(key.words));
  return stored;
}

struct StoredBase {
  std::uint64_t last;
  std::int64_t micros;
  Digest digest;
};
[[nodiscard]] int put_base(MDB_txn* txn, MDB_dbi meta, const Store::Base& base);

struct StoredOrigin {
  Timeline timeline;
  std::uint64_t position;
  std::int64_t micros;
  Digest chain;
};

// What a commit that ends with this value leaves behind.
[[nodiscard]] CommitRecord end_with(const Store::Frame& frame);

void forget_open_file(std::pair<dev_t, ino_t> file);

struct Store::Environment {
  ~Environment() {
    if (env != nullptr) mdb_env_close(env);
    if (registered) forget_open_file(file);
  }
  Result<void> open(const std::filesystem::path& folder, std::size_t map_bytes, unsigned flags);
  Result<void> open_databases(unsigned transaction_flags, unsigned database_flags);
  Result<void> read_meta();
  Result<void> write_meta(const CreateOptions& options);
  // What is written behind it waits for sync().
  void sync_later();
  Result<void> sync();
  // One transaction, durable when it returns, unless that is for later; `new_end` is where the log
  // ends then, if elsewhere.
  Result<void> write(const std::function<int(MDB_txn*)>& change,
                     const CommitRecord* new_end = nullptr);
  int put_frames(MDB_txn* txn, std::span<const Frame> frames);
  template <class Value>
  Result<std::optional<Value>> read_meta(std::string_view name) const;
  // Where there is no index yet. Errors: those of write().
  Result<void> make_index();
  int put_records(MDB_txn* txn, const StoreRecords& records);
  Result<void> check_space(std::span<const Frame> added) const;
  Result<void> check_map(std::uint64_t bytes) const;
  Result<std::uint64_t> free_bytes() const;
  Result<void> check_confirmed() const;
  // Once for as long as it is open; what is written later is its own.
  Result<void> check_removable();
  Result<void> find_end();
  void record_commit();
  void begin_to_sync() const;

  MDB_env* env = nullptr;
  std::uint64_t map_limit = 0;  // what frames may fill of the map
  MDB_dbi frames = 0;
  MDB_dbi meta = 0;
  std::atomic<std::optional<MDB_dbi>> index;  // none until there is one; read by any thread
  Timeline timeline{};
  std::pair<dev_t, ino_t> file{};
  bool registered = false;
  std::mutex writing;  // commits follow one another
  std::uint64_t commits = 0;
  bool removable = false;  // guarded by `writing`, as is:
  bool syncs_later = false;
  CommitFile commit_file;  // writing only, as is:
  CommitRecord end;        // where the last commit ended
  Precheck precheck;
};

template <class Value>
Result<std::optional<Value>> Store::Environment::read_meta(std::string_view name) const {
  auto txn = lmdb::Transaction::begin(env, MDB_RDONLY);
  if (!txn) return std::unexpected(txn.error());
  return get_meta<Value>(txn->get(), meta, name);
}

}  // namespace almanac
