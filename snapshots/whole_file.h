// Files that are written once, whole or not at all, and read whole: what checkpoints are kept in.
// Nothing is kept open. Any thread may call, for different paths.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace almanac {

// What a file is called until it is whole: its name with this behind it. A crash may leave one.
inline constexpr std::string_view unfinished_suffix = ".writing";

// Writes the pieces one behind the other under the temporary name, syncs, renames and syncs the
// folder, which is made with those above it where they are missing: a crash leaves the whole file
// or none of that name, and a failure leaves nothing behind. What has the name already is replaced.
// Errors: storage_full, refused, io.
[[nodiscard]] Result<void> write_whole_file(const std::filesystem::path& file,
                                            std::span<const Bytes> pieces);

// The same with what another file holds, a piece at a time: it may be large, and is refused when it
// does not have so many bytes, of this digest. Errors: corrupt (that is so), those of reading as in
// read_whole_file(), and of writing.
[[nodiscard]] Result<void> copy_whole_file(const std::filesystem::path& from,
                                           const std::filesystem::path& file, std::uint64_t bytes,
                                           const Digest& digest);

// Writes a file where there is none, readable to its owner alone unless `mode` says more, and syncs
// it and its folder, which must be there. A failure leaves nothing behind, a crash perhaps a part.
// Errors: conflict (something has the name), storage_full, refused, io.
[[nodiscard]] Result<void> write_new_file(const std::filesystem::path& file, Bytes bytes,
                                          std::filesystem::perms mode);

// Errors: refused, io. None where there is no such file.
[[nodiscard]] Result<void> remove_file(const std::filesystem::path& file);
// Removes what writers that were killed have left in the folder; no other may be writing there.
void remove_unfinished(const std::filesystem::path& folder);

// A file of more than `bytes_max` is not read. Follows no link. Errors: corrupt (no regular file,
// too large), not_found, refused, io.
[[nodiscard]] Result<std::vector<std::byte>> read_whole_file(const std::filesystem::path& file,
                                                             std::uint64_t bytes_max = UINT64_MAX);

// The same, mapped instead of read, for as long as anybody holds it: what is read of it is read by
// the disk's pages. The file may be removed, and must not be changed meanwhile.
[[nodiscard]] Result<std::shared_ptr<const Bytes>> map_whole_file(
    const std::filesystem::path& file);

// Makes a folder and those above it that are missing, each synced. Errors: storage_full, refused,
// io.
[[nodiscard]] Result<void> make_folder(const std::filesystem::path& folder);

// The position a file is named by, if it is written as we write one.
[[nodiscard]] std::optional<Position> position_named(std::string_view name);
// The positions that files of the folder are named by, the largest first; none without a folder.
// Errors: refused, io (the folder cannot be listed).
[[nodiscard]] Result<std::vector<Position>> list_positions(const std::filesystem::path& folder);
// The same for who can do without: none where they cannot be listed.
[[nodiscard]] std::vector<Position> positions_in(const std::filesystem::path& folder);

}  // namespace almanac
