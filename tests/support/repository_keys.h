// The keys of repositories in tests: the same each time, told apart by a number.
#pragma once

#include <almanac/snapshots/repository.h>

#include <cstddef>

namespace almanac::test {

[[nodiscard]] inline EncryptionKey encryption_key(unsigned number = 1) {
  EncryptionKey key;
  key.bytes.fill(static_cast<std::byte>(number));
  return key;
}
[[nodiscard]] inline SigningKey signing_key(unsigned number = 1) {
  return {encryption_key(number + 100).bytes};
}
[[nodiscard]] inline PublicKey public_key(unsigned number = 1) {
  return public_key_of(signing_key(number));
}

}  // namespace almanac::test
