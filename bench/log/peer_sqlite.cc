// SQLite: WAL, synchronous=FULL, one prepared INSERT; a group is one transaction.
#include <almanac/bench/log/group_commit.h>
#include <almanac/bench/log/peers.h>

#include <sqlite3.h>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

class Sqlite final : public Subject {
 public:
  explicit Sqlite(fs::path folder)
      : folder_(std::move(folder)), group_([this](auto group) { append(group); }) {
    fs::create_directories(folder_);
  }
  ~Sqlite() override { close(); }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  void open() override {
    const auto file = folder_ / "events.sqlite";
    check(sqlite3_open(file.c_str(), &database_) == SQLITE_OK);
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("CREATE TABLE IF NOT EXISTS events("
        "position INTEGER PRIMARY KEY, time INTEGER NOT NULL, payload BLOB NOT NULL)");
    insert_ = prepare("INSERT INTO events VALUES(?, ?, ?)");
    begin_ = prepare("BEGIN IMMEDIATE");
    commit_ = prepare("COMMIT");
    auto* last = prepare("SELECT coalesce(max(position), 0) FROM events");
    check(sqlite3_step(last) == SQLITE_ROW);
    count_ = static_cast<std::uint64_t>(sqlite3_column_int64(last, 0));
    sqlite3_finalize(last);
  }
  void close() override {
    for (auto* statement : {insert_, begin_, commit_}) sqlite3_finalize(statement);
    insert_ = begin_ = commit_ = nullptr;
    check(sqlite3_close(database_) == SQLITE_OK);
    database_ = nullptr;
  }
  [[nodiscard]] std::uint64_t count() const override { return count_; }

  void append(std::span<const Bytes> group) override {
    if (group.size() > 1) step(begin_);
    const auto time = wall_micros();
    auto position = count_;
    for (Bytes payload : group) {
      sqlite3_bind_int64(insert_, 1, static_cast<sqlite3_int64>(++position));
      sqlite3_bind_int64(insert_, 2, time);
      sqlite3_bind_blob(insert_, 3, payload.data(), static_cast<int>(payload.size()),
                        SQLITE_STATIC);
      step(insert_);
    }
    if (group.size() > 1) step(commit_);
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
  void check(bool good) const {
    require(good, std::string("SQLite: ") + sqlite3_errmsg(database_));
  }
  void run(const char* text) const {
    check(sqlite3_exec(database_, text, nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  sqlite3_stmt* prepare(const char* text) const {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v3(database_, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) ==
          SQLITE_OK);
    return statement;
  }
  void step(sqlite3_stmt* statement) const {
    check(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_reset(statement);
  }
  template <class Add>
  void each(Add add) const {
    auto* select = prepare("SELECT position, time, payload FROM events ORDER BY position");
    while (sqlite3_step(select) == SQLITE_ROW) {
      const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(select, 2));
      add({static_cast<std::uint64_t>(sqlite3_column_int64(select, 0)),
           sqlite3_column_int64(select, 1),
           Bytes(bytes, static_cast<std::size_t>(sqlite3_column_bytes(select, 2)))});
    }
    sqlite3_finalize(select);
  }

  fs::path folder_;
  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  std::uint64_t count_ = 0;
  GroupCommit group_;
};

}  // namespace

System sqlite() {
  return {.name = "SQLite",
          .settings = std::string(sqlite3_libversion()) + "; WAL, synchronous=FULL",
          .make = [](const fs::path& folder) { return std::make_unique<Sqlite>(folder); }};
}

}  // namespace almanac::bench
