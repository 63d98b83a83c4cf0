// Whether a log is what was written: every frame's checksum and digest, the chain from the first
// frame to the last, positions without gaps, times in order, every event readable.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/log.h>

#include <functional>

namespace almanac {

struct VerifyReport {
  Position last;  // everything up to here is whole
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;  // of all frames
  Digest digest{};          // of the last frame
};

// Reads the whole log once. `progress` is told the position behind each frame and may be empty.
// Errors: corrupt with the first damaged position, newer_format, io.
[[nodiscard]] Result<VerifyReport> verify(const Log& log,
                                          const std::function<void(Position)>& progress = {});

}  // namespace almanac
