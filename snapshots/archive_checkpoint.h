// The checkpoints of an archive: the files of checkpoint.h, compressed, or as what they differ in
// from an earlier one that is there in full. README.md has the bytes.
#pragma once

#include <almanac/snapshots/checkpoint.h>
#include <almanac/snapshots/repository.h>

#include <cstddef>
#include <optional>
#include <vector>

namespace almanac {

// A checkpoint with the bytes of its file, and of the one in full that deltas can stand on: itself,
// unless it is a delta.
struct ArchivedCheckpoint {
  std::vector<std::byte> file;
  std::vector<std::byte> base;  // empty where `file` is the one in full

  [[nodiscard]] Bytes full() const { return base.empty() ? file : base; }
};

// That of a snapshot. Its bytes are those that were archived; decode_checkpoint() says whether they
// are a state. Takes memory for them and its base. Errors: corrupt, newer_format, and those of
// Repository::read.
[[nodiscard]] Result<ArchivedCheckpoint> read_checkpoint(const Repository& repository,
                                                         const Manifest& manifest);

// The state a snapshot ends with, of which the digest is computed again. Errors name the file:
// corrupt (also when it is another one than the manifest says), and those of read_checkpoint().
[[nodiscard]] Result<State> read_state(const Repository& repository, const Manifest& manifest);

// What a new one may be a delta against.
struct DeltaBase {
  CheckpointRecord record;
  Bytes file;
};
// One as it is written.
struct PackedCheckpoint {
  CheckpointRecord record;               // but for its file
  std::optional<CheckpointRecord> base;  // of a delta
  std::vector<std::byte> bytes;
};
// Makes one, any thread: a delta when that is limits::delta_times_smaller_min times smaller than
// the base is. Errors: refused (over limits::checkpoint_bytes_max).
[[nodiscard]] Result<PackedCheckpoint> pack_checkpoint(const Timeline& timeline, Position position,
                                                       Bytes file,
                                                       const std::optional<DeltaBase>& base);
// Errors: those of Repository::write.
[[nodiscard]] Result<CheckpointRecord> write_checkpoint(Repository& repository,
                                                        const Timeline& timeline,
                                                        const PackedCheckpoint& packed);

}  // namespace almanac
