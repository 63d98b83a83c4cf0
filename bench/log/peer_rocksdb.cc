// RocksDB: every write synced; a group is one WriteBatch, and threads share a sync as it sees fit.
#include <almanac/bench/log/peers.h>

#include <rocksdb/db.h>
#include <rocksdb/version.h>

#include <atomic>
#include <bit>
#include <cstring>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

rocksdb::WriteOptions durable() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

void check(const rocksdb::Status& status) {
  require(status.ok(), status.ok() ? "" : "RocksDB: " + status.ToString());
}

// Big-endian, so that keys are in the order of positions.
std::uint64_t stored(std::uint64_t position) { return __builtin_bswap64(position); }

class RocksDb final : public Subject {
 public:
  explicit RocksDb(fs::path folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_);
  }

  void open() override {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;  // the payloads are random
    rocksdb::DB* opened = nullptr;
    check(rocksdb::DB::Open(options, folder_.string(), &opened));
    database_.reset(opened);
    std::unique_ptr<rocksdb::Iterator> last(database_->NewIterator({}));
    last->SeekToLast();
    count_ = last->Valid() ? record(*last).position : 0;
  }
  void close() override { database_.reset(); }
  [[nodiscard]] std::uint64_t count() const override { return count_; }

  void append(std::span<const Bytes> group) override {
    rocksdb::WriteBatch batch;
    for (Bytes payload : group) put(batch, payload);
    check(database_->Write(durable(), &batch));
  }
  void append_shared(Bytes payload) override { append({&payload, 1}); }
  void read(const Visit& visit) override {
    each([&](const Record& record) { visit(record); });
  }
  [[nodiscard]] ScanSum scan() override {
    ScanSum sum;
    each([&](const Record& record) { sum.add(record); });
    return sum;
  }

 private:
  void put(rocksdb::WriteBatch& batch, Bytes payload) {
    const auto key = stored(++count_);
    const auto time = wall_micros();
    const rocksdb::Slice key_slice(reinterpret_cast<const char*>(&key), sizeof(key));
    const std::array value = {
        rocksdb::Slice(reinterpret_cast<const char*>(&time), sizeof(time)),
        rocksdb::Slice(reinterpret_cast<const char*>(payload.data()), payload.size())};
    check(batch.Put(rocksdb::SliceParts(&key_slice, 1), rocksdb::SliceParts(value.data(), 2)));
  }
  static Record record(const rocksdb::Iterator& at) {
    Record record;
    std::memcpy(&record.position, at.key().data(), sizeof(record.position));
    record.position = stored(record.position);
    std::memcpy(&record.time, at.value().data(), sizeof(record.time));
    record.payload = as_bytes(at.value().ToStringView()).subspan(sizeof(record.time));
    return record;
  }
  template <class Add>
  void each(Add add) const {
    std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator({}));
    for (at->SeekToFirst(); at->Valid(); at->Next()) add(record(*at));
    check(at->status());
  }

  fs::path folder_;
  std::unique_ptr<rocksdb::DB> database_;
  std::atomic<std::uint64_t> count_ = 0;
};

}  // namespace

System rocksdb() {
  return {.name = "RocksDB",
          .settings = std::to_string(ROCKSDB_MAJOR) + "." + std::to_string(ROCKSDB_MINOR) + "." +
                      std::to_string(ROCKSDB_PATCH) + "; sync=true, no compression",
          .make = [](const fs::path& folder) { return std::make_unique<RocksDb>(folder); }};
}

}  // namespace almanac::bench
