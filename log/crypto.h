// Encryption of bytes and signatures over them; with hash.h the only door to libsodium. Any thread
// may call.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <array>
#include <compare>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace almanac {

// Overwrites what is secret, also where nobody reads it any more.
void wipe(std::span<std::byte> bytes);

// Bytes that are overwritten when this goes. They must stay where they are.
class WipedAtEnd {
 public:
  explicit WipedAtEnd(std::span<std::byte> bytes) : bytes_(bytes) {}
  ~WipedAtEnd() { wipe(bytes_); }
  WipedAtEnd(const WipedAtEnd&) = delete;
  WipedAtEnd& operator=(const WipedAtEnd&) = delete;

 private:
  std::span<std::byte> bytes_;
};

// Secret keys leave nothing in the memory they were in.
struct EncryptionKey {
  std::array<std::byte, 32> bytes{};

  ~EncryptionKey() { wipe(bytes); }
};
// The seed of an Ed25519 key pair.
struct SigningKey {
  std::array<std::byte, 32> bytes{};

  ~SigningKey() { wipe(bytes); }
};
struct PublicKey {
  std::array<std::byte, 32> bytes{};

  auto operator<=>(const PublicKey&) const = default;
};
struct Signature {
  std::array<std::byte, 64> bytes{};
};

// XChaCha20-Poly1305, as libsodium's secretstream has it: 24 bytes with the nonce, drawn by chance,
// then the bytes in chunks of 64 KiB with 17 bytes more each, of which the last one says that it
// is. `context` says where they belong and is part of what proves them; it is not written. The same
// bytes become others each time. Some 400 MB/s, a third of what it would be behind sodium_init(),
// which hash.cc says why nobody calls.
[[nodiscard]] std::vector<std::byte> encrypt(Bytes bytes, const EncryptionKey& key,
                                             std::string_view context);
// In their own memory. Errors: corrupt (of another key or context, changed, cut or made longer).
[[nodiscard]] Result<std::vector<std::byte>> decrypt(std::vector<std::byte> bytes,
                                                     const EncryptionKey& key,
                                                     std::string_view context);

// BLAKE2b-256 with a key: proves that who made it has the key, and serves as one derived from it.
[[nodiscard]] Digest keyed_blake2b(Bytes bytes, const EncryptionKey& key);

// Ed25519.
[[nodiscard]] PublicKey public_key_of(const SigningKey& key);
[[nodiscard]] Signature sign(Bytes bytes, const SigningKey& key);
[[nodiscard]] bool is_signed_by(const PublicKey& key, const Signature& signature, Bytes bytes);

}  // namespace almanac
