// Reads a log: first what the store holds, then what is behind it, in memory where this process
// writes, in the journal where another one does. Internal to the log.
#pragma once

#include <almanac/log/durable_mark.h>
#include <almanac/log/journal.h>
#include <almanac/log/read.h>
#include <almanac/log/recent_frames.h>
#include <almanac/log/store.h>
#include <almanac/log/writer.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace almanac {

// Owned by a Log. Any thread may call.
class Reader {
 public:
  struct Parts {
    const Store& store;
    const DurableMark* mark = nullptr;  // none: the store is all there is
    const RecentFrames* recent = nullptr;  // where this process writes; else:
    std::function<Result<std::unique_ptr<Journal>>()> open_journal = {};
  };
  explicit Reader(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] Result<void> read_frames(Position from, const FrameVisit& visit) const;
  [[nodiscard]] Result<void> read_frames_backward(Position from, const FrameVisit& visit) const;
  [[nodiscard]] Result<void> read(Position from, const EventVisit& visit) const;
  [[nodiscard]] Result<void> read_backward(Position from, const EventVisit& visit) const;
  [[nodiscard]] Result<void> read(const ReadOptions& options, const EventVisit& visit) const;
  [[nodiscard]] Result<LogTail> tail() const;
  [[nodiscard]] Result<LogTail> store_tail() const;
  [[nodiscard]] Result<Position> first() const;
  [[nodiscard]] Result<Position> position_at(Time time) const;

  // Frames up to here were written by this process, if what was before them was known.
  void know(Position before, Position through) const;

 private:
  struct Pass;
  [[nodiscard]] Result<FrameReader> open_frame(const Store::Frame& frame) const;
  [[nodiscard]] Result<std::vector<SharedFrame>> behind(const LogTail& end) const;
  [[nodiscard]] Result<std::vector<SharedFrame>> behind_through(const LogTail& end,
                                                                Position through) const;
  [[nodiscard]] Result<LogTail> tail_beside_writer() const;
  [[nodiscard]] std::optional<LogTail> seam_before(Position wanted) const;
  [[nodiscard]] Result<LogTail> remember(const SharedFrame& last) const;
  [[nodiscard]] Position known_end() const;
  [[nodiscard]] bool store_goes_on(Position last) const;
  [[nodiscard]] Result<void> begin(Pass& pass) const;
  [[nodiscard]] bool is_behind_store(Pass& pass) const;

  const Parts parts_;
  // Frames up to here were held against their checksums, or written, by this process: reading one
  // of them again, for a payload say, does not pay for that twice.
  mutable std::atomic<std::uint64_t> verified_through_{0};
  mutable std::mutex journal_mutex_;
  mutable std::unique_ptr<Journal> journal_;  // guarded by journal_mutex_
  // The end of what was read from another process's journal: who follows the log goes on there.
  mutable std::mutex seam_mutex_;
  mutable LogTail seam_;  // guarded by seam_mutex_
};

// The error for a log that ends in front of what it has acknowledged.
[[nodiscard]] std::unexpected<Error> rolled_back(Position last, Position marked);
// Where the log ends that ends with this frame. Errors: those of reading its last event.
[[nodiscard]] Result<LogTail> tail_of(const FrameReader& frame);

}  // namespace almanac
