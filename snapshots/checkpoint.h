// One checkpoint: a state in a file, with what it takes to know that it is whole and belongs to a
// log. README.md has the bytes.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <vector>

namespace almanac {

// What the file says about its state.
struct CheckpointHeader {
  Timeline timeline{};
  Position position;
  Digest chain{};  // of the log's frame that holds the position
  Digest state{};  // digest(state)
};

struct Checkpoint {
  CheckpointHeader header;
  State state;
};

// The file's bytes.
[[nodiscard]] std::vector<std::byte> encode_checkpoint(const CheckpointHeader& header,
                                                       const State& state);
// Checks every byte. Does not compute the state's digest again, which the header has for those who
// want to. Asks `accept`, if there is one, before it makes the state of a file that is whole, which
// is most of the work. Errors: corrupt, newer_format, those of `accept`.
using AcceptCheckpoint = std::function<Result<void>(const CheckpointHeader&)>;
[[nodiscard]] Result<Checkpoint> decode_checkpoint(Bytes bytes,
                                                   const AcceptCheckpoint& accept = {});

// As whole_file.h writes: the whole file or none. Answers the size. O(state). Errors: storage_full,
// refused, io.
[[nodiscard]] Result<std::uint64_t> write_checkpoint(const std::filesystem::path& file,
                                                     const CheckpointHeader& header,
                                                     const State& state);
// Errors: those of decode_checkpoint, not_found, refused, io.
[[nodiscard]] Result<Checkpoint> read_checkpoint(const std::filesystem::path& file,
                                                 const AcceptCheckpoint& accept = {});

// The digest of the frame that holds `position`, or ended where the log was trimmed. Errors:
// not_found (the log ends in front of it, or begins behind it), and those of reading.
[[nodiscard]] Result<Digest> chain_at(const Log& log, Position position);

}  // namespace almanac
