// Checkpoints that share what did not change between them: the large tables of a state are cut into
// blocks (columns.h), and one that an earlier checkpoint of the folder has as well is not written
// again. What is new at a checkpoint stands beside it, in a file of blocks; its own file names the
// blocks it is made of, wherever they are. README.md has the bytes.
//
// A file of blocks never changes and goes when no checkpoint rests on it. One of which a new
// checkpoint would use less than a quarter is left behind: what is used of it is written again, so
// that no checkpoint rests on files more than four times as large as what it is made of.
#pragma once

#include <almanac/snapshots/checkpoint.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

namespace almanac {

// A file of blocks of a folder, named by the position of the checkpoint it was written for.
struct BlocksFile {
  Position position;
  std::uint64_t bytes = 0;
};
[[nodiscard]] std::filesystem::path blocks_file(const std::filesystem::path& folder,
                                                Position position);

// Writes a checkpoint as `file`, whose name is its position, and what is new of its blocks; those
// of `base`, another one of the same folder, are shared. One that has less than `shared_bytes_min`
// in blocks, or whose file of blocks is there already, is written whole (checkpoint.h). Answers how
// many bytes were written.
// O(state); its encoded form is held in memory. One thread at a time for a folder. Errors:
// storage_full, refused, io.
[[nodiscard]] Result<std::uint64_t> write_shared_checkpoint(
    const std::filesystem::path& file, const CheckpointHeader& header, const State& state,
    const std::optional<std::filesystem::path>& base,
    std::uint64_t shared_bytes_min = std::uint64_t{64} << 10);

// The state of a checkpoint of that format, whose `contents` stand in its envelope and are kept by
// `keeper`. All its blocks are checked. Works on two threads. Errors: corrupt; not_found (the
// checkpoint has been removed meanwhile), refused, io.
[[nodiscard]] Result<State> read_shared(const std::filesystem::path& file, Bytes contents,
                                        Loading loading, std::shared_ptr<const void> keeper);

// The files of blocks that a checkpoint rests on; none for one that is whole. Errors: those of
// read_checkpoint, but for those of the blocks.
[[nodiscard]] Result<std::vector<BlocksFile>> rests_on(const std::filesystem::path& checkpoint);

// Removes the files of blocks that no checkpoint of the folder rests on; none while one cannot be
// asked. Nobody may be writing checkpoints there.
void remove_unneeded_blocks(const std::filesystem::path& folder);

}  // namespace almanac
