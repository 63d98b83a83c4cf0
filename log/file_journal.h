// The journal in local files: segments written with zeros once and used in turn, so that a sync has
// nothing but the frame's own bytes to write. A segment is frames one behind the other from its
// first byte; where they end, and which are left over from an earlier turn, is told by position,
// link and checksum.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/journal.h>
#include <almanac/log/store.h>

#include <filesystem>
#include <memory>

namespace almanac {

// Makes an empty journal in `folder`, which may be there already; the caller syncs the folder
// above. Errors: refused, io, storage_full.
[[nodiscard]] Result<void> create_file_journal(const std::filesystem::path& folder);

// Errors: corrupt (the folder is missing), refused, io.
[[nodiscard]] Result<std::unique_ptr<Journal>> open_file_journal(
    const std::filesystem::path& folder, Access access);

}  // namespace almanac
