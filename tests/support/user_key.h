// Keys of users for tests that have no files.
#pragma once

#include <almanac/log/hash.h>
#include <almanac/projections/memory_content.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace almanac::test {

// Always the same for a name.
[[nodiscard]] inline UserKey key_named(std::string_view name) {
  const Digest digest = blake2b(as_bytes(name));
  UserKey made;
  std::copy_n(digest.begin(), made.id.size(), made.id.begin());
  auto key = std::make_shared<EncryptionKey>();
  std::ranges::copy(digest, key->bytes.begin());
  made.key = std::move(key);
  return made;
}

}  // namespace almanac::test
