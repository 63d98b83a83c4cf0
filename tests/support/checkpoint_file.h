// Checkpoints of states that no log has.
#pragma once

#include <almanac/snapshots/checkpoint.h>

#include <filesystem>

namespace almanac::test {

// The state's own position and digest, and any timeline and chain.
[[nodiscard]] CheckpointHeader header_of(const State& state);
// What a file gives back.
[[nodiscard]] Checkpoint written_and_read(const std::filesystem::path& file, const State& state);

}  // namespace almanac::test
