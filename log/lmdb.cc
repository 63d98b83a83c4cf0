#include <almanac/log/lmdb.h>

#include <cstring>
#include <string>
#include <utility>

namespace almanac::lmdb {

std::unexpected<Error> error(int code, std::string_view what) {
  auto message = "cannot " + std::string(what) + ": " + mdb_strerror(code);
  switch (code) {
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INCOMPATIBLE: return fail(ErrorCode::corrupt, std::move(message));
    case MDB_VERSION_MISMATCH: return fail(ErrorCode::newer_format, std::move(message));
    case MDB_MAP_FULL:
      return fail(ErrorCode::storage_full, "the log has reached its largest size",
                  "trim it (`almanac log trim`), or open it with a larger map");
    case MDB_READERS_FULL:
      return fail(ErrorCode::busy, "too many processes read this log", "close some of them");
    default: break;
  }
  if (code > 0) return fail_errno(code, what);
  return fail(ErrorCode::io, std::move(message));
}

Result<Transaction> Transaction::begin(MDB_env* env, unsigned flags) {
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(env, nullptr, flags, &txn);
  if (code == MDB_READERS_FULL && mdb_reader_check(env, nullptr) == 0) {
    code = mdb_txn_begin(env, nullptr, flags, &txn);
  }
  if (code != 0) return error(code, "begin a transaction");
  return Transaction(txn);
}

Transaction::Transaction(Transaction&& other) noexcept : txn_(std::exchange(other.txn_, nullptr)) {}
Transaction::~Transaction() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}
int Transaction::commit() { return mdb_txn_commit(std::exchange(txn_, nullptr)); }

Result<std::optional<Store::Frame>> Cursor::get(MDB_cursor_op operation, std::uint64_t position) {
  if (opened_ != 0) return error(opened_, "read the log");
  MDB_val key = to_val(position);
  MDB_val value{};
  int code = mdb_cursor_get(cursor_, &key, &value, operation);
  if (code == MDB_NOTFOUND) return std::nullopt;
  if (code != 0) return error(code, "read the log");
  if (key.mv_size != sizeof(std::uint64_t)) {
    return fail(ErrorCode::corrupt, "the log holds a key that is not a position");
  }
  std::uint64_t first = 0;
  std::memcpy(&first, key.mv_data, sizeof(first));
  return Store::Frame{Position(first), to_bytes(value)};
}

Result<std::optional<Store::Frame>> Cursor::seek(Position position) {
  auto found = get(MDB_SET_RANGE, position.value);
  if (!found || (*found && (*found)->first == position)) return found;
  if (!*found) return get(MDB_LAST);
  auto before = get(MDB_PREV);
  return before && !*before ? get(MDB_FIRST) : before;
}

}  // namespace almanac::lmdb
