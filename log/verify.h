// Whether a log is what was written: every frame's checksum and digest, the chain from the first
// frame to the last, positions without gaps, times in order, every event readable.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/log.h>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace almanac {

// Also where a verification that was stopped can go on.
struct VerifyReport {
  Position last;  // everything up to here is whole
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;  // of all frames
  Digest digest{};          // of the last frame
  Time time;                // of the last event
};

// Reads the whole log once. `progress` is told the position behind each frame and may be empty.
// Errors: corrupt with the first damaged position, newer_format, io.
[[nodiscard]] Result<VerifyReport> verify(const Log& log,
                                          const std::function<void(Position)>& progress = {});

struct VerifyOptions {
  std::size_t jobs = 1;  // threads
  // Positions in a range; 0 = as many as make some MiB of frames.
  std::uint64_t range_events = 0;
  VerifyReport from = {};  // goes on behind what was checked before
  // Called on the calling thread before anything is read and then at least ten times a second;
  // false stops. May be empty.
  std::function<bool(const VerifyReport& so_far)> progress = {};
};
struct Verification {
  VerifyReport report;   // with `from` included
  bool finished = true;  // false when it was stopped
};

// The same, by several threads, each over a range of positions at a time. The chain is checked
// inside each range and across the seams; ranges are joined in their order, so that the report so
// far has no holes and the error is the one of the first damaged position. Takes the log as long as
// it is now. Errors: those of verify(), and conflict when the log does not hold `from` any more.
[[nodiscard]] Result<Verification> verify(const Log& log, const VerifyOptions& options);

}  // namespace almanac
