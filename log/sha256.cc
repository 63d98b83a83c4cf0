#include <almanac/log/sha256.h>

#include <sodium.h>

namespace almanac {

std::array<std::byte, 32> sha256(Bytes bytes) {
  std::array<std::byte, 32> hash;
  static_assert(crypto_hash_sha256_BYTES == 32);
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return hash;
}

}  // namespace almanac
