// Writes the checkpoints of a log that grows, on a thread of its own, beside the one that publishes
// its states.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>
#include <almanac/snapshots/checkpoint_policy.h>
#include <almanac/snapshots/retention.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace almanac {

// One try.
struct CheckpointReport {
  Position position;
  Result<std::uint64_t> bytes;  // of the file, or why there is none
  std::chrono::steady_clock::duration took{0};
};

// Ends before what it was given does. What was not written is tried again after the policy's
// period, or a minute if that is shorter.
//
// Once two checkpoints are whole the log is told of the older one: it may be trimmed as far as that
// (Log::set_checkpoint), but not behind the first event that a task still needs.
class Checkpointer {
 public:
  struct Surroundings {
    Log& log;
    std::filesystem::path folder;  // the one the log was opened in
    // The newest state that is durable. Called on the checkpointer's thread, as is:
    std::function<std::shared_ptr<const State>()> state;
    std::function<void(const CheckpointReport&)> report;
  };
  // `newest` is a checkpoint known to be whole; none when there is none. Clears what a writer that
  // was killed has left.
  Checkpointer(Surroundings surroundings, const CheckpointPolicy& policy, Position newest);
  // Writes a last one when enough is new.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // There is a durable state at `position`. Any thread; O(1), and never waits for the disk.
  void moved(Position position);
  // Writes one of the newest state and waits for it; where there is one already, the log is told
  // again how far it may be trimmed. Any other thread. Errors: those of keep_checkpoint().
  [[nodiscard]] Result<void> write_now();

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  [[nodiscard]] bool wait_until_due();
  void try_one();
  [[nodiscard]] Result<void> write(const State& state);
  void thin() const;
  [[nodiscard]] CheckpointFile described(Position position) const;
  void allow_trim(const State& state) const;

  const Surroundings surroundings_;
  const CheckpointPolicy policy_;

  std::atomic<std::uint64_t> wanted_from_;  // changed under mutex_
  std::mutex mutex_;
  std::condition_variable changed_;
  bool enough_ = false;  // guarded by mutex_, as is:
  bool ending_ = false;
  std::uint64_t asked_ = 0;  // how often one was asked for
  std::uint64_t tried_ = 0;  // so many of them have been
  Result<void> outcome_;     // of the last try

  // Of the thread. Both are known to be whole.
  Position newest_;
  Position second_;
  Clock::time_point looked_at_;  // whether anything is new
  Clock::time_point rested_at_;  // from the last try
  std::thread thread_;
};

}  // namespace almanac
