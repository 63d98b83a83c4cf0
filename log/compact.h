// A log's file without the pages nothing uses: the same frames, written into a new file.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <filesystem>
#include <functional>

namespace almanac {

struct CompactReport {
  Position last;  // of the log, as it was before and is now
  std::uint64_t frames = 0;
  std::uint64_t bytes_before = 0;  // of the file
  std::uint64_t bytes_after = 0;   // the same when there was nothing to gain
};

// Copies the log frame by frame into DIR/log.compacting, verifies the copy, and renames its file
// over the old one. Needs room for the copy on the same disk; when it is full, or a crash comes
// between, the old file stays as it was. Holds the write lock. Nobody may read the log meanwhile:
// who has the old file open would never see what is appended to the new one.
// Errors: not_found, conflict (someone writes or reads), corrupt, newer_format, refused, io,
// storage_full. `progress` is told the position behind each frame and may be empty.
[[nodiscard]] Result<CompactReport> compact(const std::filesystem::path& folder,
                                            const std::function<void(Position)>& progress = {});

}  // namespace almanac
