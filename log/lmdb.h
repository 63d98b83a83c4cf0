// LMDB's handles as values that clean up after themselves. Internal to the store, whose files alone
// may include this.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/store.h>
#include <almanac/log/types.h>

#include <lmdb.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace almanac::lmdb {

static_assert(sizeof(MDB_val::mv_size) == sizeof(std::uint64_t), "keys are 8-byte integers");

// "cannot WHAT: …" for a code of LMDB or of the system.
[[nodiscard]] std::unexpected<Error> error(int code, std::string_view what);

inline MDB_val to_val(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};
}
inline MDB_val to_val(Bytes bytes) { return to_val(as_text(bytes)); }
inline MDB_val to_val(const std::uint64_t& number) {
  return {sizeof(number), const_cast<std::uint64_t*>(&number)};
}
inline Bytes to_bytes(const MDB_val& value) {
  return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

// A transaction that aborts unless it was committed.
class Transaction {
 public:
  [[nodiscard]] static Result<Transaction> begin(MDB_env* env, unsigned flags);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  [[nodiscard]] int commit();
  [[nodiscard]] MDB_txn* get() const { return txn_; }

 private:
  explicit Transaction(MDB_txn* txn) : txn_(txn) {}
  MDB_txn* txn_;
};

// Goes through the frames. Ends with its transaction.
class Cursor {
 public:
  Cursor(MDB_txn* txn, MDB_dbi dbi) { opened_ = mdb_cursor_open(txn, dbi, &cursor_); }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor() {
    if (opened_ == 0) mdb_cursor_close(cursor_);
  }
  // Empty at the end of the database.
  [[nodiscard]] Result<std::optional<Store::Frame>> get(MDB_cursor_op operation,
                                                        std::uint64_t position = 0);
  // The frame that holds `position`: the last one that does not begin behind it; the first where
  // all do, because the front is missing.
  [[nodiscard]] Result<std::optional<Store::Frame>> seek(Position position);
  // Removes the frame it stands on and goes to the next.
  [[nodiscard]] int remove() { return mdb_cursor_del(cursor_, 0); }

 private:
  MDB_cursor* cursor_ = nullptr;
  int opened_ = 0;
};

}  // namespace almanac::lmdb
