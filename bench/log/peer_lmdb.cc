// LMDB as it comes: a record per event, a transaction per append or group, two syncs per commit.
#include <almanac/bench/log/group_commit.h>
#include <almanac/bench/log/peers.h>

#include <lmdb.h>

#include <cstring>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t map_bytes = std::size_t{32} << 30;

void check(int code, const char* what) {
  require(code == 0, std::string("LMDB: ") + what + ": " + mdb_strerror(code));
}

class Lmdb final : public Subject {
 public:
  explicit Lmdb(fs::path folder)
      : folder_(std::move(folder)), group_([this](auto group) { append(group); }) {
    fs::create_directories(folder_);
  }
  ~Lmdb() override { close(); }
  Lmdb(const Lmdb&) = delete;
  Lmdb& operator=(const Lmdb&) = delete;

  void open() override {
    check(mdb_env_create(&env_), "create");
    check(mdb_env_set_mapsize(env_, map_bytes), "map");
    check(mdb_env_open(env_, folder_.c_str(), 0, 0600), "open");
    MDB_txn* txn = begin(0);
    check(mdb_dbi_open(txn, nullptr, MDB_INTEGERKEY, &events_), "open the database");
    MDB_stat status{};
    check(mdb_stat(txn, events_, &status), "stat");
    count_ = status.ms_entries;
    check(mdb_txn_commit(txn), "commit");
  }
  void close() override {
    if (env_ != nullptr) mdb_env_close(env_);
    env_ = nullptr;
  }
  [[nodiscard]] std::uint64_t count() const override { return count_; }

  void append(std::span<const Bytes> group) override {
    MDB_txn* txn = begin(0);
    auto position = count_;
    const auto time = wall_micros();
    for (Bytes payload : group) {
      ++position;
      MDB_val key{sizeof(position), &position};
      MDB_val value{sizeof(time) + payload.size(), nullptr};
      check(mdb_put(txn, events_, &key, &value, MDB_APPEND | MDB_RESERVE), "put");
      auto* to = static_cast<std::byte*>(value.mv_data);
      std::memcpy(to, &time, sizeof(time));
      std::memcpy(to + sizeof(time), payload.data(), payload.size());
    }
    check(mdb_txn_commit(txn), "commit");
    count_ = position;
  }
  void append_shared(Bytes payload) override { group_.append(payload); }
  void read(const Visit& visit) override {
    each([&](const Record& record) { visit(record); });
  }
  [[nodiscard]] ScanSum scan() override {
    ScanSum sum;
    each([&](const Record& record) { sum.add(record); });
    return sum;
  }

 private:
  MDB_txn* begin(unsigned flags) const {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, flags, &txn), "begin");
    return txn;
  }
  template <class Add>
  void each(Add add) const {
    MDB_txn* txn = begin(MDB_RDONLY);
    MDB_cursor* cursor = nullptr;
    check(mdb_cursor_open(txn, events_, &cursor), "cursor");
    MDB_val key{};
    MDB_val value{};
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
      Record record;
      const auto* from = static_cast<const std::byte*>(value.mv_data);
      std::memcpy(&record.position, key.mv_data, sizeof(record.position));
      std::memcpy(&record.time, from, sizeof(record.time));
      record.payload = Bytes(from, value.mv_size).subspan(sizeof(record.time));
      add(record);
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
  }

  fs::path folder_;
  MDB_env* env_ = nullptr;
  MDB_dbi events_ = 0;
  std::uint64_t count_ = 0;
  GroupCommit group_;
};

}  // namespace

System lmdb() {
  return {.name = "LMDB",
          .settings = std::to_string(MDB_VERSION_MAJOR) + "." + std::to_string(MDB_VERSION_MINOR) +
                      "." + std::to_string(MDB_VERSION_PATCH) +
                      "; default flags, MDB_APPEND, one record per event",
          .make = [](const fs::path& folder) { return std::make_unique<Lmdb>(folder); }};
}

}  // namespace almanac::bench
