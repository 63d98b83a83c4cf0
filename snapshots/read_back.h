// The state of a log that is being made: what is on the disk is read back and folded, on a thread
// of its own, while more is written.
#pragma once

#include <almanac/log/import.h>
#include <almanac/projections/state.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace almanac {

// Owned by who writes the log; one thread calls.
class ReadBack {
 public:
  struct Options {
    State start;  // of the log, at its base or behind it
    // Shown the state at this position, unless folding begins there or behind it. May be empty.
    Position checked;
    std::function<Result<void>(const State&)> check = {};
    std::stop_token stop = {};
  };
  // The log, which must outlive it, has no events up to `base` and none behind it yet.
  ReadBack(const LogImport& log, const LogTail& base, Options options);
  // Waits for a frame at most.
  ~ReadBack() = default;
  ReadBack(const ReadBack&) = delete;
  ReadBack& operator=(const ReadBack&) = delete;

  // The log is on disk up to there. False: reading has failed, and to write on is in vain.
  [[nodiscard]] bool go_on(Position through);
  // Waits until all of that is read, the frames in front of the start included; the state there.
  // The last call. Errors: corrupt (a frame does not go on from the one before), stopped, those of
  // reading and of `check`.
  [[nodiscard]] Result<State> finish();

 private:
  void run(const std::stop_token& ending);
  [[nodiscard]] Result<void> read_through(Position through, const std::stop_token& ending);
  [[nodiscard]] Result<void> fold(const FrameReader& frame);

  const LogImport& log_;
  Options options_;
  State state_;
  LogTail read_;  // its time is not known

  std::mutex mutex_;
  std::condition_variable_any changed_;
  Position written_;       // guarded by mutex_, as are:
  bool is_whole_ = false;  // nothing more will be written
  std::optional<Error> error_;
  std::jthread thread_;
};

}  // namespace almanac
