// The file of a text: the text, the digest of that, and a signature over both where it has one.
// README.md has the lines.
#pragma once

#include <almanac/log/crypto.h>

#include <optional>
#include <string>
#include <string_view>

namespace almanac {

struct SealedText {
  std::string text;
  std::optional<PublicKey> signer;
};

// Of one line.
[[nodiscard]] std::string seal(std::string_view text, const std::optional<SigningKey>& key);
// A signature that is there holds for the lines in front of it; whether its signer is to be trusted
// is for who reads. Errors: corrupt.
[[nodiscard]] Result<SealedText> unseal(std::string_view file);

}  // namespace almanac
