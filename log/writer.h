// Makes events durable, one frame at a time. While one is on its way to the disk the next one
// fills: group commit without a delay setting (gathering.h). Frames are written by a thread of the
// writer's own; only who waits for an append while nothing else is on its way writes it himself,
// which saves two switches of threads (AppendOptions::by_caller).
#pragma once

#include <almanac/log/append.h>
#include <almanac/log/codec.h>
#include <almanac/log/digester.h>
#include <almanac/log/durable_mark.h>
#include <almanac/log/event.h>
#include <almanac/log/gathering.h>
#include <almanac/log/index.h>
#include <almanac/log/journal.h>
#include <almanac/log/recent_frames.h>

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace almanac {

// Where a log ends.
struct LogTail {
  Position last;    // none when it is empty
  Digest digest{};  // of the last frame
  Time time;        // of the last event
};

// Everything up to `through` is on disk. With an error: the batches behind it are not.
struct CommitReport {
  Position through;
  std::optional<Error> error;  // storage_full: nothing behind `through` was kept;
                               // unknown_outcome: nothing more can be written until a new open
};
// Called once per frame, which acknowledges all its events at once, by one thread at a time: the
// writer's, or one that writes what it appends. Must return soon and append nothing.
using OnCommit = std::function<void(const CommitReport&)>;

// What happens to appends after one was refused for lack of space.
enum class AfterRefusal : std::uint8_t {
  resume,  // they go on behind the last durable event
  wait,    // they are dropped until resume(): for one who has numbered events in advance
};

struct WriterOptions {
  OnCommit on_commit;
  // Given the coroutines whose events are on disk, all of one frame at once, where on_commit is
  // called; must return soon. Resumes them there unless told otherwise.
  std::function<void(std::span<const std::coroutine_handle<>>)> resume;
  AfterRefusal after_refusal = AfterRefusal::resume;
  std::chrono::milliseconds grouped_within{0};
  std::size_t pending_bytes_max = 0;
  std::function<Result<void>()> check_space;  // asked before a frame of ordinary events
};

// Owned by a Log. Any thread may call.
class Writer {
 public:
  struct Parts {
    Journal& journal;
    RecentFrames& recent;
    DurableMark& mark;
    Index& index;
    Timeline timeline;
  };
  Writer(const Parts& parts, const LogTail& tail, WriterOptions options);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Commits what was appended, then ends the thread. The destructor does so too; but what is
  // reported meanwhile may ask the log that is about to let go of its writer. Of its owner.
  void close();

  // A batch that passed check_batch, with what its events mean to the index.
  struct Request {
    std::shared_ptr<const EventBatch> batch;
    BatchCost cost;
    AppendOptions options;
    std::span<const IndexEntry> entries = {};
    bool wait = false;        // until it is on disk, and for room rather than answer `busy`
    std::size_t callers = 1;  // who may append again once they are told that it is
  };
  // Gives the events their positions. Never waits, unless asked to.
  // Errors: invalid when it is older than what was appended before, conflict, busy, unknown_outcome
  // (nothing more can be written).
  [[nodiscard]] Result<AppendTicket> append(const Request& request);
  // The same for events that take the time of the log's end where they are older.
  [[nodiscard]] Result<AppendTicket> append_now(const std::shared_ptr<EventBatch>& batch,
                                                Request request);
  // Waits until it is on disk. Errors: why it is not.
  [[nodiscard]] Result<void> wait(const AppendTicket& ticket);
  // Resumes the coroutine when it is on disk or refused; false when that is so already.
  [[nodiscard]] bool resume_when_done(const AppendTicket& ticket, std::coroutine_handle<> handle);
  // Goes on behind the last durable event after a frame was refused.
  void resume();

  // The end of what is on disk.
  [[nodiscard]] LogTail tail() const;

 private:
  enum class Condition : std::uint8_t { writing, refused, broken };
  using Lock = std::unique_lock<std::mutex>;

  void run();
  void write_self(Lock& lock, const AppendTicket& ticket);
  void write(PendingFrame& frame);
  [[nodiscard]] std::shared_ptr<PendingFrame> take();
  [[nodiscard]] Result<void> commit(const PendingFrame& frame);
  [[nodiscard]] Result<AppendTicket> enqueue(Lock& lock, const Request& request);
  [[nodiscard]] AppendTicket repeat(const Appended& stored, Durability durability);
  [[nodiscard]] Result<void> make_room(Lock& lock, const Request& request);
  [[nodiscard]] bool is_gathered() const;
  [[nodiscard]] PendingFrame& frame_for(const Request& request);
  void finish(PendingFrame& frame, const std::optional<Error>& error);
  void report_failure(PendingFrame& frame, const Error& error);
  void go_on();

  const Parts parts_;
  const WriterOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable work_;                     // for the writer's thread
  std::condition_variable room_;                     // for those who wait to append
  std::deque<std::shared_ptr<PendingFrame>> queue_;  // guarded by mutex_, as are:
  std::shared_ptr<PendingFrame> taken_;              // the last that was taken from it
  std::size_t pending_bytes_ = 0;                    // of the queue and what is being written
  std::size_t waiting_for_room_ = 0;                 // threads
  Position next_;
  Time latest_;  // the time of the last event appended
  Condition condition_ = Condition::writing;
  Error failure_;  // why it is broken
  bool closing_ = false;
  bool writing_ = false;  // a frame, by whoever
  Gathering gathering_;
  bool gathers_ = false;  // the writer's thread, which then does not look at single appends
  LogTail tail_;

  FrameEncoder encoder_;  // of the thread that writes, as is:
  Digester digester_;
  std::thread thread_;
};

}  // namespace almanac
