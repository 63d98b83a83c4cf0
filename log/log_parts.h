// What a Log is made of, in the order in which it is made. Internal to the log.
#pragma once

#include <almanac/log/durable_mark.h>
#include <almanac/log/index.h>
#include <almanac/log/journal.h>
#include <almanac/log/log.h>
#include <almanac/log/reader.h>
#include <almanac/log/recent_frames.h>
#include <almanac/log/settler.h>
#include <almanac/log/store.h>
#include <almanac/log/write_lock.h>
#include <almanac/log/writer.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace almanac {

struct Log::Parts {
  struct Opened {
    std::optional<WriteLock> lock;
    std::unique_ptr<Store> store;
    std::unique_ptr<DurableMark> mark;
  };
  Parts(std::filesystem::path path, LogOptions log_options, Opened opened);
  ~Parts();
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  [[nodiscard]] Result<void> start_reading();
  [[nodiscard]] Result<void> start_writing();
  // Errors: refused (it was opened for reading).
  [[nodiscard]] Result<void> check_writing() const;
  // And whether the index can say what the append wants to know.
  [[nodiscard]] Result<void> check_options(const AppendOptions& append_options) const;
  [[nodiscard]] Result<AppendTicket> append(const std::shared_ptr<EventBatch>& batch,
                                            const AppendOptions& append_options, bool wait);
  [[nodiscard]] std::vector<IndexEntry> index_entries_of(std::span<const Event> events);
  [[nodiscard]] Result<Position> indexed_through() const;
  // How much of the store is used, for the quota. After whatever changes it.
  void measure();

  const std::filesystem::path folder;
  const LogOptions options;
  std::optional<WriteLock> lock;
  std::unique_ptr<Store> store;
  std::unique_ptr<DurableMark> mark;
  RecentFrames recent;
  Index index;
  Reader reader;
  LogTail opened_tail;

  // For writing only. The threads end first, in the opposite order.
  std::unique_ptr<Journal> journal;
  std::atomic<std::uint64_t> used_bytes = 0;  // of the store's file, without what is free in it
  std::mutex encoder_mutex;
  std::optional<FrameEncoder> encoder;  // for the digests of what idempotency keys stand for
  std::unique_ptr<Settler> settler;
  std::unique_ptr<Writer> writer;

 private:
  [[nodiscard]] Result<void> recover_journal();
  [[nodiscard]] Result<void> catch_up_index();
  void start_threads();
};

}  // namespace almanac
