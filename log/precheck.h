// What is looked at before LMDB maps a file: LMDB has no checksums and a file cut short kills the
// process that reads it, so damage it would not notice must become an error here.
#pragma once

#include <almanac/log/error.h>

#include <filesystem>

namespace almanac {

// Reads LMDB's two meta pages and holds the file's length against the last page they name.
// Reads 8 KiB. Errors: not_found, corrupt, newer_format, refused, io.
[[nodiscard]] Result<void> check_before_mapping(const std::filesystem::path& data_file);

}  // namespace almanac
