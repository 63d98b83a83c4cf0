// Builds the digest of a state. What enters is gathered into chunks of 32 KiB; each chunk's 128-bit
// XXH3 goes into one BLAKE2b-256, whose result is the digest.
//
// Why so: a digest is taken at each checkpoint, of everything. BLAKE2b over all of it takes 0.4 s
// for a million tasks, XXH3 a hundredth of that. A digest that each event keeps up to date would be
// free at a checkpoint and cost every event two hashes of a record, between checkpoints too; a
// checkpoint writes all records anyway, beside which hashing them is small. What a digest has to
// find is a fold that went another way, or bytes that changed by accident, for which 128 bits that
// depend on every byte of a chunk are plenty. It is no proof against somebody who may write
// checkpoints: nothing in the same file could be.
//
// Numbers enter as 8 little-endian bytes and text with its length in front, so that two different
// sequences of calls never hash the same bytes.
#pragma once

#include <almanac/log/hash.h>
#include <almanac/log/types.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace almanac {

// One thread at a time.
// As it enters a digest: microseconds.
[[nodiscard]] inline std::uint64_t number_of(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

class StateHasher {
 public:
  void number(std::uint64_t number) {
    if (chunk_bytes - used_ < sizeof(number)) close_chunk();
    if constexpr (std::endian::native == std::endian::big) number = __builtin_bswap64(number);
    std::memcpy(chunk_.get() + used_, &number, sizeof(number));
    used_ += sizeof(number);
  }
  // As many calls of number().
  void numbers(std::span<const std::uint64_t> numbers) {
    for (std::uint64_t each : numbers) number(each);
  }
  void text(std::string_view text);
  [[nodiscard]] Digest finish();

 private:
  static constexpr std::size_t chunk_bytes = std::size_t{32} << 10;

  void close_chunk();

  Hasher chunks_;
  std::unique_ptr<std::byte[]> chunk_ = std::make_unique<std::byte[]>(chunk_bytes);
  std::size_t used_ = 0;
};

}  // namespace almanac
