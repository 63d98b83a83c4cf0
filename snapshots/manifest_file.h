// The file of a manifest: its text, the digest of that, and a signature over both where it has one.
// README.md has the lines.
#pragma once

#include <almanac/snapshots/manifest.h>

#include <optional>
#include <string>
#include <string_view>

namespace almanac {

[[nodiscard]] std::string encode_manifest_file(const Manifest& manifest,
                                               const std::optional<SigningKey>& key);
// A signature that is there holds for the lines in front of it; whether its signer is to be trusted
// is for who reads. Errors: corrupt, newer_format.
[[nodiscard]] Result<Manifest> decode_manifest_file(std::string_view file);

}  // namespace almanac
