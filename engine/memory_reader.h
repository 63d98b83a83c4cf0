// Entries as programs read them: what is sealed (projections/memory_content.h) is opened, where the
// user's key is there.
#pragma once

#include <almanac/projections/memory_content.h>
#include <almanac/projections/state.h>
#include <almanac/snapshots/user_keys.h>

namespace almanac {

// Of one state, of which it keeps what it needs. Borrows the keys; any thread.
class MemoryReader {
 public:
  // No keys = nothing that is sealed is opened.
  MemoryReader(const State& state, const UserKeys* keys)
      : names_(state.names), destroyed_(state.contexts.destroyed), keys_(keys) {}

  // The same version where it is not sealed. Errors: refused (it was forgotten with its user),
  // not_found (the user's key is not in the folder of the log), corrupt.
  [[nodiscard]] Result<MemoryVersion> open(MemoryId id, const MemoryVersion& version) const;
  // The same version where it cannot be opened.
  [[nodiscard]] MemoryVersion read(MemoryId id, const MemoryVersion& version) const {
    return version->sealed ? open(id, version).value_or(version) : version;
  }
  // Nobody will ever open it.
  [[nodiscard]] bool is_forgotten(const Memory& memory) const;

 private:
  Names names_;
  PersistentSet<UserKeyId> destroyed_;
  const UserKeys* keys_;
};

}  // namespace almanac
