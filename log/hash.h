// Checksums and digests. XXH3 finds accidental damage at memory speed; BLAKE2b-256 names content.
// xxHash stays behind this file, libsodium behind it and crypto.h. Any thread; allocates nothing.
#pragma once

#include <almanac/log/types.h>

#include <array>
#include <cstdint>
#include <span>

namespace almanac {

[[nodiscard]] std::uint64_t xxh3(Bytes bytes);
// 128 bits of it, in the order of bytes that xxHash calls canonical: the same on every machine.
[[nodiscard]] std::array<std::byte, 16> xxh3_128(Bytes bytes);
[[nodiscard]] Digest blake2b(Bytes bytes);

// A digest built piece by piece. Numbers enter as 8 little-endian bytes and text with its length
// in front, so that two different sequences of calls never hash the same bytes.
class Hasher {
 public:
  Hasher();
  void bytes(Bytes bytes);
  void text(std::string_view text);
  void number(std::uint64_t number);
  [[nodiscard]] Digest finish();

 private:
  alignas(64) std::array<std::byte, 384> state_;
};

// Fills with bytes from the system's random source.
void fill_random(std::span<std::byte> bytes);

}  // namespace almanac
