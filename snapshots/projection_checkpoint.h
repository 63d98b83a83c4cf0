// A value at a position, as bytes in a file of its own. A file that is cut, changed, of another log
// or of another past of this one is as good as none.
#pragma once

#include <almanac/log/log.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace almanac {

// What a checkpoint stands for.
struct ProjectionKey {
  Timeline timeline{};
  Position position;
  std::uint32_t version = 0;  // of what wrote it
  Digest chain{};             // of the log's frame that holds the position
};

// Writes a file under another name first, so that under its own it is whole, on disk when this
// returns. Makes the folder. Errors: io, refused, storage_full; nothing is left then.
[[nodiscard]] Result<void> write_projection(const std::filesystem::path& folder,
                                            const ProjectionKey& key, Bytes payload);

// The positions in the names of the folder's files, the newest first; none without a folder.
[[nodiscard]] std::vector<Position> projection_positions(const std::filesystem::path& folder);
// Errors: corrupt (not the bytes that were written, or of something else than `key`), io.
[[nodiscard]] Result<std::vector<std::byte>> read_projection(const std::filesystem::path& folder,
                                                             const ProjectionKey& key);
// Leaves the newest, and nothing of files that were begun.
void thin_projections(const std::filesystem::path& folder, std::size_t count);

}  // namespace almanac
