#include <almanac/snapshots/sealed_text.h>

#include <almanac/log/hash.h>

namespace almanac {
namespace {

constexpr std::string_view signature_begin = "ed25519 ";

// The line of the text, and that of its digest.
std::string with_digest(std::string_view text) {
  return std::string(text) + "\nblake2b " + to_hex(blake2b(as_bytes(text))) + "\n";
}

std::string signature_line(const PublicKey& key, const Signature& signature) {
  return std::string(signature_begin) + to_hex(key.bytes) + " " + to_hex(signature.bytes) + "\n";
}

// Who signed `lines` with this line.
Result<PublicKey> signer_of(std::string_view lines, std::string_view line) {
  PublicKey key;
  Signature signature;
  const std::size_t key_end = signature_begin.size() + 2 * key.bytes.size();
  const bool is_line =
      line.size() == signature_line(key, signature).size() &&
      from_hex(line.substr(signature_begin.size(), 2 * key.bytes.size()), key.bytes) &&
      from_hex(line.substr(key_end + 1, 2 * signature.bytes.size()), signature.bytes) &&
      line == signature_line(key, signature);
  if (is_line && is_signed_by(key, signature, as_bytes(lines))) return key;
  return fail(ErrorCode::corrupt, "its signature is not one of its text");
}

}  // namespace

std::string seal(std::string_view text, const std::optional<SigningKey>& key) {
  const std::string lines = with_digest(text);
  if (!key) return lines;
  return lines + signature_line(public_key_of(*key), sign(as_bytes(lines), *key));
}

Result<SealedText> unseal(std::string_view file) {
  SealedText sealed{.text = std::string(file.substr(0, file.find('\n'))), .signer = {}};
  const std::string lines = with_digest(sealed.text);
  if (!file.starts_with(lines)) {
    return fail(ErrorCode::corrupt, "its digest is not that of its text");
  }
  if (file.size() == lines.size()) return sealed;
  auto signer = signer_of(lines, file.substr(lines.size()));
  if (!signer) return std::unexpected(signer.error());
  sealed.signer = *signer;
  return sealed;
}

}  // namespace almanac
