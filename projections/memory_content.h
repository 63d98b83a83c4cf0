// What an entry of a user says, opened, and how it is sealed: all of it together, with the user's
// key (XChaCha20-Poly1305), for this entry of this user: bytes of another entry, or of another
// user's, do not open in its place.
#pragma once

#include <almanac/log/crypto.h>
#include <almanac/log/error.h>
#include <almanac/projections/memory.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// The key of a user, and which it is.
struct UserKey {
  UserKeyId id{};
  std::shared_ptr<const EncryptionKey> key;
};
// By whose they are.
using UserKeyRing = std::map<std::string, UserKey, std::less<>>;

// In the clear.
struct PersonalMemory {
  std::string content;
  std::string summary;
  std::string embedding;  // numbers of 32 bits, as they lie here
  std::string metadata;
  std::vector<std::string> tags;
  bool operator==(const PersonalMemory&) const = default;

  [[nodiscard]] std::uint32_t dimension() const {
    return static_cast<std::uint32_t>(embedding.size() / sizeof(float));
  }
};

// Whose it is, and which: sealed for another place it does not open.
struct MemoryPlace {
  std::string_view user;
  MemoryId id;
};

// Some 3 microseconds for each kilobyte.
[[nodiscard]] std::string seal(const PersonalMemory& said, const MemoryPlace& place,
                               const EncryptionKey& key);
// Errors of these: corrupt (sealed with another key or for another place, or changed).
[[nodiscard]] Result<PersonalMemory> open_memory(const SealedContent& content,
                                                 const MemoryPlace& place,
                                                 const EncryptionKey& key);
// The entry with its texts. It is sealed.
[[nodiscard]] Result<MemoryVersion> open_memory(const Memory& memory, const MemoryPlace& place,
                                                const EncryptionKey& key);

}  // namespace almanac
