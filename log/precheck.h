// What is looked at before LMDB maps a file: LMDB has no checksums and a file cut short kills the
// process that reads it, so damage it would not notice must become an error here.
#pragma once

#include <almanac/log/error.h>

#include <filesystem>

namespace almanac {

// Reads LMDB's two meta pages, holds the file's length against the last page they name, and walks
// the pages of the newest snapshot (page_check.h says what that costs). Beside a writer a finding
// counts only when nothing was committed meanwhile; one that commits all the time has made the same
// check when it opened the log. Errors: not_found, corrupt, newer_format, refused, io.
[[nodiscard]] Result<void> check_before_mapping(const std::filesystem::path& data_file);

}  // namespace almanac
