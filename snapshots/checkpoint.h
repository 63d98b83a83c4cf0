// One checkpoint: a state in a file, with what it takes to know that it is whole and belongs to a
// log. README.md has the bytes.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
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
// Where somebody keeps the bytes, the state is made as it is asked (Loading). Works on two threads.
[[nodiscard]] Result<Checkpoint> decode_checkpoint(Bytes bytes, const AcceptCheckpoint& accept = {},
                                                   std::shared_ptr<const void> keeper = nullptr);

// As whole_file.h writes: the whole file or none. Answers the size. O(state). Errors: storage_full,
// refused, io.
[[nodiscard]] Result<std::uint64_t> write_checkpoint(const std::filesystem::path& file,
                                                     const CheckpointHeader& header,
                                                     const State& state);
// What is made of a state that is read.
enum class Loading : bool {
  whole,
  // Of a large one most is made when somebody looks for it: for who asks little of it. All bytes
  // are checked now. The file stays mapped while anything of the state, or of what became of it,
  // has not been made; it may be removed meanwhile, and must not be changed, as no checkpoint is.
  as_asked,
};

// Errors: those of decode_checkpoint, not_found, refused, io.
[[nodiscard]] Result<Checkpoint> read_checkpoint(const std::filesystem::path& file,
                                                 const AcceptCheckpoint& accept = {},
                                                 Loading loading = Loading::whole);

// The digest of the frame that holds `position`, or ended where the log was trimmed. Errors:
// not_found (the log ends in front of it, or begins behind it), and those of reading.
[[nodiscard]] Result<Digest> chain_at(const Log& log, Position position);

}  // namespace almanac
