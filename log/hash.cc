#include <almanac/log/hash.h>

#include <sodium.h>
#include <sys/random.h>
#include <xxhash.h>

#include <almanac/log/error.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace almanac {
namespace {

const unsigned char* raw(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

crypto_generichash_blake2b_state* sodium_state(std::array<std::byte, 384>& storage) {
  static_assert(sizeof(crypto_generichash_blake2b_state) <= sizeof(storage));
  return reinterpret_cast<crypto_generichash_blake2b_state*>(storage.data());
}

}  // namespace

std::uint64_t xxh3(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::array<std::byte, 16> xxh3_128(Bytes bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  std::array<std::byte, 16> hash;
  static_assert(sizeof(canonical.digest) == sizeof(hash));
  std::memcpy(hash.data(), canonical.digest, sizeof(hash));
  return hash;
}

Digest blake2b(Bytes bytes) {
  Digest digest;
  crypto_generichash_blake2b(reinterpret_cast<unsigned char*>(digest.data()), digest.size(),
                             raw(bytes), bytes.size(), nullptr, 0);
  return digest;
}

Hasher::Hasher() {
  crypto_generichash_blake2b_init(sodium_state(state_), nullptr, 0, sizeof(Digest));
}

void Hasher::bytes(Bytes bytes) {
  crypto_generichash_blake2b_update(sodium_state(state_), raw(bytes), bytes.size());
}

void Hasher::text(std::string_view text) {
  number(text.size());
  bytes(as_bytes(text));
}

void Hasher::number(std::uint64_t number) {
  std::array<std::byte, 8> little_endian;
  for (std::size_t i = 0; i < little_endian.size(); ++i) {
    little_endian[i] = static_cast<std::byte>(number >> (8 * i));
  }
  bytes(little_endian);
}

Digest Hasher::finish() {
  Digest digest;
  crypto_generichash_blake2b_final(sodium_state(state_),
                                   reinterpret_cast<unsigned char*>(digest.data()), digest.size());
  return digest;
}

// Without sodium_init(), which libsodium's hashing does not need: it exchanges BLAKE2b for the code
// with vector instructions, which is not the faster one everywhere (an AMD EPYC: 0.74 instead of
// 1.40 GB/s), and a frame's digest is the largest part of what it costs the processor.
void fill_random(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const auto filled = ::getrandom(bytes.data(), bytes.size(), 0);
    ALMANAC_CHECK(filled > 0 || errno == EINTR);
    if (filled > 0) bytes = bytes.subspan(static_cast<std::size_t>(filled));
  }
}

std::string to_hex(Bytes bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (std::byte byte : bytes) {
    hex += digits[std::to_integer<unsigned>(byte) >> 4];
    hex += digits[std::to_integer<unsigned>(byte) & 15];
  }
  return hex;
}

bool from_hex(std::string_view text, std::span<std::byte> bytes) {
  if (text.size() != 2 * bytes.size()) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    unsigned value = 0;
    const char* digits = text.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) return false;
    bytes[i] = static_cast<std::byte>(value);
  }
  return true;
}

}  // namespace almanac
