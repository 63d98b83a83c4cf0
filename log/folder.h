// The folder of a log before it is opened: may it be one, is it one, and what is missing made.
#pragma once

#include <almanac/log/error.h>

#include <filesystem>

namespace almanac {

// What lies in the folder of a log.
inline constexpr const char* store_folder = "log";
inline constexpr const char* journal_folder = "journal";     // in the store's
inline constexpr const char* durable_mark_file = "durable";  // in the store's
inline constexpr const char* pages_file = "data.mdb";        // in the store's, LMDB's own
inline constexpr const char* commits_file = "commits";       // in the store's

// Makes the folder where it is missing. Errors: invalid (it is a file), refused (it holds something
// else and no log, or may not be made), io.
[[nodiscard]] Result<void> prepare_writing(const std::filesystem::path& folder);
// With the lock held: two processes may have found no log, and one of them has made it since.
[[nodiscard]] Result<void> create_if_missing(const std::filesystem::path& folder);

// Errors: not_found, invalid, refused, io.
[[nodiscard]] Result<void> check_readable(const std::filesystem::path& folder);
// LMDB's readers register in its lock file, which it makes where it is missing. Where it cannot,
// nobody else may write while we read, which our own lock sees to.
[[nodiscard]] bool can_register(const std::filesystem::path& store);

}  // namespace almanac
