// What watches a command that archives or verifies: how far it has got, with its rate and the time
// that is left, and whether it was interrupted.
#pragma once

#include <almanac/tools/interrupt.h>
#include <almanac/tools/progress_line.h>

#include <almanac/snapshots/restore.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

namespace almanac {

// Made before any thread is, as Interrupt is.
class ArchiveWatch {
 public:
  // So much of it is done: `share` from 0 to 1, and that many bytes. May be called often.
  void progress(const std::string& what, double share, std::uint64_t bytes);
  // Asked to stop by Ctrl-C, noticed at the next progress().
  [[nodiscard]] std::stop_token stop() const { return stop_.get_token(); }
  void clear() { line_.clear(); }

 private:
  Interrupt interrupt_;
  ProgressLine line_;
  std::stop_source stop_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point look_next_ = began_;
};

// For RestoreOptions::progress. Must not outlive `watch`.
[[nodiscard]] std::function<void(const RestoreProgress&)> restore_progress(ArchiveWatch& watch);

}  // namespace almanac
