// A file that holds secrets: only its owner may read it.
#pragma once

#include <almanac/log/error.h>

#include <cstddef>
#include <filesystem>
#include <string>

namespace almanac {

// All of it, at most `bytes_max`. Errors: not_found, invalid (no file), refused (others may read
// it), io.
[[nodiscard]] Result<std::string> read_secret_file(const std::filesystem::path& file,
                                                   std::size_t bytes_max);

}  // namespace almanac
