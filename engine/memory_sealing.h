// Sealing what entries of users say, on the way into an event: with keys that are on disk already
// (UserContexts::give_keys).
#pragma once

#include <almanac/engine/decision.h>

#include <map>

namespace almanac {

// Of one transaction. Borrows all it is made of; what it answers lies in the command and the arena.
class MemorySealer {
 public:
  MemorySealer(const State& state, const UserKeyRing& keys, Arena& memory)
      : state_(state), keys_(keys), memory_(memory) {}

  // Of a new entry of a user. Errors: conflict (the user was forgotten meanwhile, or no key was
  // given).
  [[nodiscard]] Result<SealedMemory> seal_new(const MemorySpec& spec, MemoryId id);
  // Of a sealed entry with what the update changes, and what others of the transaction did. Errors:
  // refused (it was forgotten with its user), not_found (the key is not there), corrupt.
  [[nodiscard]] Result<SealedMemory> seal_changed(const MemoryUpdate& update, const Memory& memory);

 private:
  [[nodiscard]] Result<const UserKey*> key_of(MemoryId id, const Memory& memory) const;
  [[nodiscard]] SealedMemory sealed(const PersonalMemory& said, const MemoryPlace& place,
                                    const UserKey& key);

  const State& state_;
  const UserKeyRing& keys_;
  Arena& memory_;
  std::map<MemoryId, PersonalMemory> changed_;
};

// Whether an update changes what a user's entry says.
[[nodiscard]] bool changes_content(const MemoryUpdate& update);
// The key that events about the user are sealed with, where any were.
[[nodiscard]] std::optional<UserKeyId> known_key(const State& state, std::string_view user);

}  // namespace almanac
