// What the machine can do at most: bare files, with nothing of a log but the payloads.
#include <almanac/bench/log/group_commit.h>
#include <almanac/bench/log/subject.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <fstream>
#include <mutex>
#include <thread>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_bytes = 64 << 20;

// Payloads one behind the other, from the file's begin again when it is full. It knows nothing of
// what a process before it has written.
class ZeroFilledFile final : public Subject, public Asynchronous {
 public:
  explicit ZeroFilledFile(const fs::path& folder) : group_([this](auto group) { append(group); }) {
    fs::create_directories(folder);
    file_ = ::open((folder / "raw").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    require(file_ >= 0, "no file for the raw limit");
    std::vector<std::byte> zeros(1 << 20);
    for (std::size_t at = 0; at < file_bytes; at += zeros.size()) write_at(at, zeros);
    require(::fsync(file_) == 0, "fsync");
    flusher_ = std::thread([this] { flush_posted(); });
  }
  ~ZeroFilledFile() override {
    {
      std::lock_guard guard(mutex_);
      closing_ = true;
    }
    work_.notify_one();
    flusher_.join();
    ::close(file_);
  }
  ZeroFilledFile(const ZeroFilledFile&) = delete;
  ZeroFilledFile& operator=(const ZeroFilledFile&) = delete;

  void open() override {}
  void close() override {}
  [[nodiscard]] std::uint64_t count() const override { return count_; }

  void append(std::span<const Bytes> group) override {
    buffer_.clear();
    for (Bytes payload : group) buffer_.insert(buffer_.end(), payload.begin(), payload.end());
    if (offset_ + buffer_.size() > file_bytes) {
      offset_ = 0;
      lap_first_ = count_ + 1;
    }
    write_at(offset_, buffer_);
    require(::fdatasync(file_) == 0, "fdatasync");
    payload_bytes_ = group.front().size();
    offset_ += buffer_.size();
    durable_.set(count_ += group.size());
  }
  void append_shared(Bytes payload) override { group_.append(payload); }
  [[nodiscard]] Asynchronous* asynchronous() override { return this; }
  void post(std::span<const Bytes> group) override {
    {
      std::lock_guard guard(mutex_);
      posted_.insert(posted_.end(), group.begin(), group.end());
    }
    work_.notify_one();
  }
  [[nodiscard]] std::uint64_t wait_beyond(std::uint64_t events) override {
    return durable_.wait_beyond(events);
  }

  // Of the lap it is in.
  void read(const Visit& visit) override {
    std::vector<std::byte> bytes(offset_);
    require(::pread(file_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
            "pread");
    auto position = lap_first_;
    for (std::size_t at = 0; at < bytes.size(); at += payload_bytes_) {
      visit({.position = position++, .payload = Bytes(bytes).subspan(at, payload_bytes_)});
    }
  }
  [[nodiscard]] ScanSum scan() override { stop("the raw disk is not scanned"); }

 private:
  void write_at(std::size_t offset, Bytes bytes) const {
    auto written = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    require(written == static_cast<ssize_t>(bytes.size()), "pwrite");
  }
  void flush_posted() {
    std::vector<Bytes> group;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        work_.wait(lock, [this] { return closing_ || !posted_.empty(); });
        if (posted_.empty()) return;
        group.swap(posted_);
      }
      append(group);
      group.clear();
    }
  }

  int file_ = -1;
  std::size_t offset_ = 0;
  std::size_t payload_bytes_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t lap_first_ = 1;
  std::vector<std::byte> buffer_;
  Acknowledged durable_;
  GroupCommit group_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::vector<Bytes> posted_;  // guarded by mutex_
  bool closing_ = false;       // guarded by mutex_
  std::thread flusher_;
};

// Records as {position, time, length} and the payload, filled up to 8 bytes.
class MappedRecords final : public Subject {
 public:
  explicit MappedRecords(const fs::path& folder) : file_(folder / "records") {
    fs::create_directories(folder);
  }
  ~MappedRecords() override { unmap(); }
  MappedRecords(const MappedRecords&) = delete;
  MappedRecords& operator=(const MappedRecords&) = delete;

  void open() override {
    std::error_code none_yet;
    bytes_ = fs::file_size(file_, none_yet);
    if (none_yet || bytes_ == 0) return;
    int file = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC);
    require(file >= 0 && ::fsync(file) == 0, "fsync");
    void* map = ::mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, file, 0);
    require(map != MAP_FAILED, "mmap");
    ::close(file);
    map_ = static_cast<const std::byte*>(map);
  }
  void close() override { unmap(); }
  [[nodiscard]] std::uint64_t count() const override { return count_; }
  void append(std::span<const Bytes> group) override {
    std::ofstream out(file_, std::ios::binary | std::ios::app);
    for (Bytes payload : group) {
      const Header header{++count_, wall_micros(), payload.size()};
      out.write(reinterpret_cast<const char*>(&header), sizeof(header));
      out.write(reinterpret_cast<const char*>(payload.data()),
                static_cast<std::streamsize>(payload.size()));
      out.write("\0\0\0\0\0\0\0",
                static_cast<std::streamsize>(padded(payload.size()) - payload.size()));
    }
  }
  void append_shared(Bytes) override { stop("the raw map is only scanned"); }
  void read(const Visit& visit) override {
    each([&](const Record& record) { visit(record); });
  }
  [[nodiscard]] ScanSum scan() override {
    ScanSum sum;
    each([&](const Record& record) { sum.add(record); });
    return sum;
  }

 private:
  struct Header {
    std::uint64_t position;
    std::int64_t time;
    std::uint64_t length;
  };
  static std::size_t padded(std::size_t length) { return (length + 7) / 8 * 8; }
  template <class Add>
  void each(Add add) const {
    for (std::size_t at = 0; at < bytes_;) {
      Header header;
      std::memcpy(&header, map_ + at, sizeof(header));
      at += sizeof(header);
      add({header.position, header.time, Bytes(map_ + at, header.length)});
      at += padded(header.length);
    }
  }
  void unmap() {
    if (map_ != nullptr) ::munmap(const_cast<std::byte*>(map_), bytes_);
    map_ = nullptr;
  }

  fs::path file_;
  const std::byte* map_ = nullptr;
  std::size_t bytes_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace

System raw_disk() {
  return {.name = "raw",
          .settings = "zero-filled file of 64 MiB, one pwrite and one fdatasync per group",
          .make = [](const fs::path& folder) { return std::make_unique<ZeroFilledFile>(folder); }};
}

System raw_map() {
  return {.name = "raw",
          .settings = "records behind each other in a mapped file",
          .make = [](const fs::path& folder) { return std::make_unique<MappedRecords>(folder); }};
}

}  // namespace almanac::bench
