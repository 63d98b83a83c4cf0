// The log of one folder: append events, read them back from any position, follow it. Usable
// without the engine; docs/guides/log.md shows it by example. See log/README.md for what lies in
// the folder.
#pragma once

#include <almanac/log/append.h>
#include <almanac/log/append_awaiter.h>
#include <almanac/log/codec.h>
#include <almanac/log/error.h>
#include <almanac/log/event.h>
#include <almanac/log/limits.h>
#include <almanac/log/read.h>
#include <almanac/log/store.h>
#include <almanac/log/subscription.h>
#include <almanac/log/trim.h>
#include <almanac/log/writer.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace almanac {

[[nodiscard]] Time system_now();

struct LogOptions {
  Access access = Access::write;
  // Address space for the map, and with it the largest size of the log's file.
  std::size_t map_bytes = limits::map_bytes_default;

  // The rest is for writing only.

  // Told of every frame; must not wait for the log. See OnCommit for where it is called.
  OnCommit on_commit = [](const CommitReport&) {};
  // Given the coroutines to resume, all of one frame at once, where on_commit is called: the place
  // to hand them to a loop of your own. Without it they are resumed right there, where they may
  // append but must not wait for the log.
  std::function<void(std::span<const std::coroutine_handle<>>)> resume = {};
  AfterRefusal after_refusal = AfterRefusal::resume;
  // Within this time what was appended with Durability::grouped is being written.
  std::chrono::milliseconds grouped_within{20};
  // Appended and not on disk: more is answered with `busy`, or waits.
  std::size_t pending_bytes_max = limits::pending_bytes_default;
  // Ordinary events are refused while the log's file uses more than this, looked at when frames get
  // there from the journal: it may be overshot by what is on its way. 0 = no quota.
  std::uint64_t quota_bytes = 0;
  // Whether versions of streams and idempotency keys are known and checked. Costs nothing for
  // events that have neither; the first open with it reads the log once.
  bool index = true;
  // The time of events that come without one.
  std::function<Time()> clock = system_now;
};

// One object owns a log. Any thread may call; views live as long as the call that gives them out.
class Log {
 public:
  // Opens the log in `folder`. For writing, a missing or empty folder gets a new log, and the
  // process holds the write lock until it closes. For reading, a writer may run beside.
  // Errors: not_found, conflict (held by another process, which is named), corrupt (also when the
  // log is older than what it acknowledged), newer_format, refused (folder of something else, no
  // permission), io, storage_full.
  [[nodiscard]] static Result<std::unique_ptr<Log>> open(const std::filesystem::path& folder,
                                                         LogOptions options = {});
  // Writes what was appended, and brings it to the store.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  [[nodiscard]] const Timeline& timeline() const;
  // The moment of another log at which this one branched off; none when it began by itself.
  [[nodiscard]] Result<std::optional<LogOrigin>> origin() const;
  // Where the log ended when it was opened.
  [[nodiscard]] const LogTail& opened_tail() const;
  // Where it ends now: what is on disk, also when another process writes. Reads one frame.
  // Errors: corrupt, newer_format, io.
  [[nodiscard]] Result<LogTail> tail() const;
  // The first position there is; 1 unless the log was trimmed. Of an empty log the next one.
  [[nodiscard]] Result<Position> first() const;

  // What was in front of that when it was trimmed: its end, and nothing else is left of it, but for
  // what the index knows: versions of streams and idempotency keys, each under a digest of its
  // name.
  [[nodiscard]] Result<LogTail> base() const;
  // Errors: corrupt (the index is damaged; events are not).
  using VisitRemoved = std::function<Result<bool>(const IndexRecord&)>;
  [[nodiscard]] Result<void> read_removed(const VisitRemoved& visit) const;

  // --- Appending. The events of one call are stored together or not at all, one after the other.
  // Events without a time get that of now, older ones that of the log's end. When an append is
  // refused for lack of space, so are those that wait behind it.
  // Errors: invalid (see check_batch; an idempotency key twice), conflict (expected versions,
  // keys), refused (opened for reading, or expected versions without an index), busy, storage_full
  // (nothing was stored), unknown_outcome.

  // Waits until it is on disk; grouped, only until there is room for it.
  [[nodiscard]] Result<Appended> append_and_wait(std::span<const Event> events,
                                                 const AppendOptions& options = {});
  [[nodiscard]] Result<Appended> append_and_wait(const Event& event,
                                                 const AppendOptions& options = {});
  // co_await gives Result<Appended>. See LogOptions::resume for where it goes on.
  [[nodiscard]] AppendAwaiter append_async(std::span<const Event> events,
                                           const AppendOptions& options = {});
  // Answers at once; on_commit or wait() tell of the outcome. Copies what the events point at.
  [[nodiscard]] Result<AppendTicket> append(std::span<const Event> events,
                                            const AppendOptions& options = {});
  [[nodiscard]] Result<void> wait(const AppendTicket& ticket);
  // The same without a copy: the batch owns what its views point at, and its events have times.
  // Answers the position of the first. Errors: also invalid when it is older than the log's end.
  [[nodiscard]] Result<Position> append(std::shared_ptr<const EventBatch> batch,
                                        const AppendOptions& options = {});
  // With AfterRefusal::wait: goes on behind the last durable event.
  void resume();

  // The version of a stream, 0 when it does not exist; with what is on its way to the disk.
  // O(log streams). Errors: refused (without LogOptions::index, or opened for reading).
  [[nodiscard]] Result<std::uint64_t> version(std::string_view stream) const;

  // --- Reading. Every frame's position and link to the frame before are checked, and its checksum
  // when this process reads it for the first time. No lock and no transaction is held between
  // frames for long. Errors: corrupt (with the position), newer_format, io, and what `visit`
  // returns.

  // Gives the events from `from`, or the first there is, to where the log ended when it was called,
  // in order, to `visit` until it returns false. An event's views live until `visit` returns.
  using Visit = EventVisit;
  [[nodiscard]] Result<void> read(Position from, const Visit& visit) const;
  // Those that a filter lets through, forward or backward.
  [[nodiscard]] Result<void> read(const ReadOptions& options, const Visit& visit) const;
  // From the one at `from`, or the last one in front of it, back to the first.
  [[nodiscard]] Result<void> read_backward(Position from, const Visit& visit) const;
  // The events of a stream from a version on, in order; those trimmed are left out. With the index
  // in O(log n) for each; without it all of the log is read, and versions are counted from the
  // first event there is.
  [[nodiscard]] Result<void> read_stream(std::string_view stream, std::uint64_t from_version,
                                         const Visit& visit) const;
  // Frame by frame, from the one that holds `from`.
  using VisitFrame = FrameVisit;
  [[nodiscard]] Result<void> read_frames(Position from, const VisitFrame& visit) const;
  // One event. Errors: not_found, and those of read().
  [[nodiscard]] Result<void> read_one(Position position,
                                      const std::function<void(const Event&)>& visit) const;
  // The first event that is not older than `time`; behind the end when all are. O(log n).
  [[nodiscard]] Result<Position> position_at(Time time) const;

  // Follows the log from a position on; none stands for the first event there is. Must not outlive
  // the log.
  [[nodiscard]] Subscription subscribe(Position from) const;

  // --- Space.

  // Promises that the state at `position` is kept elsewhere, so that what led to it may go.
  // Errors: invalid (behind the end, or lower than before), storage_full, unknown_outcome.
  [[nodiscard]] Result<void> set_checkpoint(Position position);
  // What was promised last; none where nothing was.
  [[nodiscard]] Result<Position> checkpoint() const;
  // The last event that trim() would remove if any checkpoint would do; the highest position where
  // all would go. Errors: invalid (nothing is said), corrupt, io.
  [[nodiscard]] Result<Position> last_to_trim(const TrimOptions& options) const;
  // Removes whole frames from the front, never behind the checkpoint. Their room is used again.
  // Takes small transactions; appends go on meanwhile. Errors: invalid (nothing is said), refused
  // (no checkpoint), corrupt, io, storage_full, unknown_outcome.
  [[nodiscard]] Result<TrimReport> trim(const TrimOptions& options);
  // Keeps so many bytes of room for Space::reserve, when the disk is full. Made at the next append.
  void set_reserve(std::size_t bytes);
  [[nodiscard]] Result<LogSize> size() const;

 private:
  struct Parts;
  explicit Log(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace almanac
