// The one thread that makes events durable. While one commit is on its way to the disk the next
// one fills: group commit without a delay setting.
#pragma once

#include <almanac/log/codec.h>
#include <almanac/log/event.h>
#include <almanac/log/store.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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
  std::optional<Error> error;  // storage_full: nothing behind `through` was kept, see resume();
                               // unknown_outcome: nothing more can be written until a new open
};
// Called on the writer's thread, once per commit; must return soon.
using OnCommit = std::function<void(const CommitReport&)>;

// Owned by a Log. append() and resume() belong to one thread, the one that decides.
class Writer {
 public:
  Writer(Store& store, const LogTail& tail, OnCommit on_commit);
  // Commits what was appended, then ends the thread.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Takes a batch that passed check_batch and gives its events their positions; answers that of
  // the first. Never waits for the disk. After a refused commit everything is dropped until
  // resume(). Errors: invalid when it is older than what was appended before.
  [[nodiscard]] Result<Position> append(std::shared_ptr<const EventBatch> batch,
                                        const BatchCost& cost);
  // Goes on behind the last durable event after a commit was refused.
  void resume();

 private:
  struct Pending {
    std::shared_ptr<const EventBatch> batch;
    BatchCost cost;
    Position first;
  };
  enum class Condition : std::uint8_t { writing, refused, broken };

  void run();
  std::vector<Pending> take();
  Result<std::size_t> commit(std::span<const Pending> batches);
  std::size_t frame_length(std::span<const Pending> batches) const;
  void report_failure(const Error& error);

  Store& store_;
  OnCommit on_commit_;
  Position next_;  // of the deciding thread, as is:
  Time latest_;    // the time of the last event appended

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Pending> queue_;                 // guarded by mutex_
  Condition condition_ = Condition::writing;  // guarded by mutex_
  bool closing_ = false;                      // guarded by mutex_
  LogTail tail_;                              // guarded by mutex_

  std::deque<FrameEncoder> encoders_;  // of the writer's thread, one for each frame of a commit
  std::thread thread_;
};

}  // namespace almanac
