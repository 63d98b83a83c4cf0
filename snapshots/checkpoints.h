// The checkpoints of a log: states at some of its positions, in DIR/checkpoints, one file each,
// named by the position, and what those share beside them (shared_checkpoint.h). They spare
// folding, and nothing else rests on them: whatever is wrong with one, an older one or the log
// itself serves.
#pragma once

#include <almanac/snapshots/checkpoint.h>

#include <optional>
#include <vector>

namespace almanac {

// Writes the state of this log, which was opened in `folder`, sharing what it can with the newest
// checkpoint in front of it. Answers how many bytes were written. One thread at a time. Errors:
// not_found (the log does not reach so far), those of write_shared_checkpoint.
[[nodiscard]] Result<std::uint64_t> keep_checkpoint(const Log& log,
                                                    const std::filesystem::path& folder,
                                                    const State& state);

[[nodiscard]] std::filesystem::path checkpoints_folder(const std::filesystem::path& folder);
[[nodiscard]] std::filesystem::path checkpoint_file(const std::filesystem::path& folder,
                                                    Position position);
// The positions of which there is a file, the newest first.
[[nodiscard]] std::vector<Position> checkpoints_of(const std::filesystem::path& folder);

// The state of one of them, when it is whole and of this log as it is. O(its size). Errors: those
// of read_checkpoint (not_found: it is gone), refused (it is of another log, position or past).
[[nodiscard]] Result<State> load_checkpoint(const Log& log, const std::filesystem::path& folder,
                                            Position position, Loading loading = Loading::as_asked);

struct NewestCheckpoint {
  std::optional<State> state;
  std::vector<Error> refused;  // newer ones that do not serve, and why
};
// The newest of them that is not behind `through` and serves. O(its size).
[[nodiscard]] NewestCheckpoint newest_checkpoint(const Log& log,
                                                 const std::filesystem::path& folder,
                                                 Position through,
                                                 Loading loading = Loading::as_asked);

}  // namespace almanac
