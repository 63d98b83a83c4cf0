// The files of keys: a line that says what it is, and one with the key in hexadecimal digits. Any
// thread may call. Errors name the file.
#pragma once

#include <almanac/log/crypto.h>

#include <filesystem>

namespace almanac {

// Makes a key by chance, in a new file that its owner alone may read. Errors: conflict (there is a
// file of that name), storage_full, refused, io.
[[nodiscard]] Result<EncryptionKey> create_encryption_key(const std::filesystem::path& file);
// The same, and beside it FILE.pub, for all to read, with the public key, which is what comes back.
[[nodiscard]] Result<PublicKey> create_signing_key(const std::filesystem::path& file);

// Errors: not_found, invalid (a key of another kind), refused (others than its owner may read it;
// no permission), corrupt (no key), newer_format, io.
[[nodiscard]] Result<EncryptionKey> read_encryption_key(const std::filesystem::path& file);
[[nodiscard]] Result<SigningKey> read_signing_key(const std::filesystem::path& file);
// All may read it.
[[nodiscard]] Result<PublicKey> read_public_key(const std::filesystem::path& file);

}  // namespace almanac
