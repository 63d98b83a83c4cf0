// Snapshots of a log in a repository: everything new since the last one, and the state where it
// ends. Usable beside a running engine, from any process that may read its folder.
#pragma once

#include <almanac/snapshots/repository.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace almanac {

// How far it has got.
struct SnapshotProgress {
  Position first;                 // that is archived now
  Position through;               // archived so far
  Position last;                  // where the snapshot will end
  std::uint64_t frame_bytes = 0;  // of the frames archived so far, as they stand in the log
  std::uint64_t file_bytes = 0;   // written for them
};

struct SnapshotOptions {
  Time made_at;          // what time it is
  std::string tag;       // what people call it; empty = nothing
  bool full = false;     // builds on nothing that is there: no delta, no earlier segments
  std::size_t jobs = 2;  // threads that compress, beside the one that calls
  // Called on the calling thread, with every frame. May be empty.
  std::function<void(const SnapshotProgress&)> progress = {};
  // What was archived until then stays, and the next snapshot goes on from there.
  std::stop_token stop = {};
};

struct SnapshotReport {
  Manifest manifest;              // the new one; the newest where nothing had happened since
  bool made = true;               // false: nothing had, and there was no tag to give
  Position from;                  // the first position archived now
  std::uint64_t frame_bytes = 0;  // of the frames archived now
  std::uint64_t file_bytes = 0;   // of all files written now
  std::vector<Error> refused;     // what there is and could not be built on, or not be merged
};

// Archives the log, which was opened in `folder`, as far as it is on disk when this is called.
// Holds no read transaction for longer than any reader does. O(new events + state): reads the state
// of the snapshot before and folds what is new. The snapshot exists once its manifest does, which
// is written last.
//
// Errors: not_found (the log is empty), invalid (the tag is none), conflict (another snapshot has
// the tag), refused (the log was trimmed beyond what is archived, and
// the gap is named), conflict (the log has another past than the one archived), stopped, corrupt
// (the log is), those of reading and of Repository::write.
[[nodiscard]] Result<SnapshotReport> create_snapshot(const Log& log,
                                                     const std::filesystem::path& folder,
                                                     Repository& repository,
                                                     const SnapshotOptions& options);

// Whether the log goes on behind what is archived. Errors: refused (it was trimmed beyond that, and
// the gap is named), conflict (it has another past), those of reading.
[[nodiscard]] Result<void> check_goes_on(const Log& log, const LogTail& archived);

}  // namespace almanac
