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

// As whole_file.h writes: the whole file or none. Makes the folder. Errors: storage_full, refused,
// io.
[[nodiscard]] Result<void> write_projection(const std::filesystem::path& folder,
                                            const ProjectionKey& key, Bytes payload);

// Errors: corrupt (not the bytes that were written, or of something else than `key`), not_found,
// refused, io.
[[nodiscard]] Result<std::vector<std::byte>> read_projection(const std::filesystem::path& folder,
                                                             const ProjectionKey& key);
// Leaves the newest, and no file that was not finished.
void thin_projections(const std::filesystem::path& folder, std::size_t count);

}  // namespace almanac
