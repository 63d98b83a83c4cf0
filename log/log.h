// The log of one folder: append events, read them back from any position. Usable without the
// engine. See log/README.md for what lies in the folder.
#pragma once

#include <almanac/log/codec.h>
#include <almanac/log/error.h>
#include <almanac/log/event.h>
#include <almanac/log/limits.h>
#include <almanac/log/store.h>
#include <almanac/log/write_lock.h>
#include <almanac/log/writer.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace almanac {

struct LogOptions {
  Access access = Access::write;
  // Address space for the map, and with it the largest size of the log's file.
  std::size_t map_bytes = limits::map_bytes_default;
  // Writing only: told of every commit, on the writer's thread.
  OnCommit on_commit = [](const CommitReport&) {};
};

// One object owns a log. Reading is safe from any thread; append() and resume() belong to one.
class Log {
 public:
  // Opens the log in `folder`. For writing, a missing or empty folder gets a new log, and the
  // process holds the write lock until it closes. For reading, a writer may run beside.
  // Errors: not_found, conflict (held by another process, which is named), corrupt, newer_format,
  // refused (folder of something else, no permission), io, storage_full.
  [[nodiscard]] static Result<std::unique_ptr<Log>> open(const std::filesystem::path& folder,
                                                         LogOptions options = {});
  // Commits what was appended.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  [[nodiscard]] const Timeline& timeline() const { return store_->timeline(); }
  // Where the log ended when it was opened.
  [[nodiscard]] const LogTail& opened_tail() const { return opened_tail_; }
  // Where it ends now: what is on disk, also when another process writes. Reads one frame.
  // Errors: corrupt, newer_format, io.
  [[nodiscard]] Result<LogTail> tail() const;

  // Gives the events from `from` to the end of the log, in order, to `visit` until it returns
  // false. Every frame's position and link to the frame before are checked, and its checksum when
  // this process reads it for the first time. An event's
  // views live until `visit` returns. No lock and no transaction is held between frames for long.
  // Errors: corrupt (with the position), newer_format, io, and what `visit` returns.
  using Visit = std::function<Result<bool>(const RecordedEvent&)>;
  [[nodiscard]] Result<void> read(Position from, const Visit& visit) const;
  // The same, frame by frame, from the one that holds `from`.
  using VisitFrame = std::function<Result<bool>(const FrameReader&)>;
  [[nodiscard]] Result<void> read_frames(Position from, const VisitFrame& visit) const;
  // One event. Errors: not_found, and those of read().
  [[nodiscard]] Result<void> read_one(Position position,
                                      const std::function<void(const Event&)>& visit) const;

  // Queues a batch for the next commit and answers the position of its first event; its outcome
  // comes through on_commit. Errors: invalid (see check_batch; nothing was queued).
  [[nodiscard]] Result<Position> append(std::shared_ptr<const EventBatch> batch);
  // Goes on behind the last durable event after a commit was refused for lack of space.
  void resume() { writer_->resume(); }

 private:
  Log() = default;
  [[nodiscard]] Result<FrameReader> read_frame(const Store::Frame& frame) const;
  void start_writer(OnCommit on_commit);

  std::optional<WriteLock> lock_;
  std::unique_ptr<Store> store_;
  LogTail opened_tail_;
  // Frames up to here were held against their checksums, or written, by this process: reading one
  // of them again, for a payload say, does not pay for that twice.
  mutable std::atomic<std::uint64_t> verified_through_{0};
  std::unique_ptr<Writer> writer_;  // writing only; the first to go
};

}  // namespace almanac
