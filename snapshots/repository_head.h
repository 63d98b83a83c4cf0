// The file REPO/repository: that the folder is a repository, and whether its files are encrypted.
#pragma once

#include <almanac/log/crypto.h>

#include <filesystem>
#include <optional>

namespace almanac {

inline constexpr const char* repository_head_file = "repository";

// Whether there is nothing but the lock of who asks, and what a crash left of an earlier beginning.
[[nodiscard]] bool holds_nothing(const std::filesystem::path& folder);

// What the files of the repository in `folder` are encrypted with: derived from `key` and from
// bytes that each repository draws by chance, so that none takes a file of another; none where they
// are not encrypted.
//
// Errors: not_found (there is no repository), refused (it is encrypted and there is no key, or
// another one; or there is a key and it is not), corrupt, newer_format, io.
[[nodiscard]] Result<std::optional<EncryptionKey>> read_repository_head(
    const std::filesystem::path& folder, const std::optional<EncryptionKey>& key);

// Makes a repository of a folder that holds nothing but the lock of who asks, encrypted where there
// is a key. Errors: refused (it holds something else), storage_full, io.
[[nodiscard]] Result<std::optional<EncryptionKey>> write_repository_head(
    const std::filesystem::path& folder, const std::optional<EncryptionKey>& key);

}  // namespace almanac
