// The bytes around a frame's message, for the codec's own files. log/README.md has them one by one.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace almanac::stored {

static_assert(std::endian::native == std::endian::little, "frames are read in place");

// The bytes in front of the message, all little-endian. `checksum` covers everything behind it.
struct Prefix {
  std::uint64_t checksum;
  std::uint32_t magic;
  std::uint16_t format;
  std::uint16_t reserved;
  std::uint64_t message_bytes;
  Digest digest;  // BLAKE2b-256 of the message, which holds the digest of the frame before
};
static_assert(sizeof(Prefix) == 56 && sizeof(Prefix) % sizeof(std::uint64_t) == 0);

inline constexpr std::uint32_t frame_magic = 0x464d4c41;  // as the bytes of stored_frame_magic
inline constexpr std::uint16_t frame_format = 1;
inline constexpr std::size_t checksum_bytes = sizeof(Prefix::checksum);

[[nodiscard]] std::unexpected<Error> corrupt(std::string message);
// Errors: corrupt, newer_format.
[[nodiscard]] Result<Prefix> read_prefix(Bytes value);
[[nodiscard]] bool is_aligned(Bytes bytes);
// Puts the checksum of all that is behind it in front of a frame.
void seal(std::span<std::byte> value);

}  // namespace almanac::stored
