// Keys of users in one file, for a log that was restored where they did not come along. Readable to
// its owner alone: whoever has it and a copy of the log can read what is known of all users.
//
//   almanac carried user keys, format 1
//   key ID KEY                 for each, in hexadecimal digits
//   destroyed ID               for each that was
//   blake2b DIGEST             of the lines above
#pragma once

#include <almanac/log/error.h>
#include <almanac/projections/contexts.h>

#include <cstddef>
#include <filesystem>

namespace almanac {

struct CarriedKeys {
  std::size_t keys = 0;       // that were written, or are there now
  std::size_t destroyed = 0;  // entries of the ledger that were written, or are new
  std::size_t refused = 0;    // keys that were destroyed, and stay so
};

// Writes a file that must not be there yet. `folder` is a log's. Errors: not_found (there are no
// keys), conflict (something has the name), storage_full, refused, io, and those of
// UserKeys::open().
[[nodiscard]] Result<CarriedKeys> export_user_keys(const std::filesystem::path& folder,
                                                   const std::filesystem::path& file);

// Adds the keys to those of a log's folder, and what was destroyed to its ledger. A key that either
// ledger has, or `destroyed` (what the log says), is not brought. An engine that has the log open
// finds them when it next makes something known of a user. Errors: not_found, corrupt,
// newer_format, storage_full, refused, io, and those of UserKeys::open().
[[nodiscard]] Result<CarriedKeys> import_user_keys(const std::filesystem::path& file,
                                                   const std::filesystem::path& folder,
                                                   const PersistentSet<UserKeyId>& destroyed);

}  // namespace almanac
