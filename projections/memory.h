// What programs remember: entries that never change, of which an update makes another version.
// Contents and embeddings are here and not only in the log, so that what is known at a position can
// be searched by itself, also where the front of the log has gone.
#pragma once

#include <almanac/log/events/memory.h>
#include <almanac/log/types.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>
#include <almanac/projections/persistent/shared_text.h>
#include <almanac/projections/state_hasher.h>

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

// One version of an entry. Its texts are shared by all versions that say the same.
struct Memory {
  NameId kind;
  std::optional<NameId> user;  // none = nobody's
  std::vector<NameId> tags;
  std::uint32_t significance = 0;  // as in MemoryStored
  Time stored_at;
  Time changed_at;
  Time expires_at;   // not set = it is kept until it is forgotten
  Position stored;   // of its first event
  Position changed;  // of its last one
  TaskId task;       // with whose end it was stored
  SharedText content;
  SharedText summary;
  SharedText embedding;  // numbers of 32 bits
  SharedText metadata;   // a JSON object
  bool operator==(const Memory&) const = default;

  // Not found any more at that time, though it may still be here.
  [[nodiscard]] bool has_expired(Time now) const {
    return expires_at != Time() && expires_at <= now;
  }
};

// Held by every state that has it; copying it copies a pointer.
class MemoryVersion {
 public:
  explicit MemoryVersion(Memory memory)
      : memory_(std::make_shared<const Memory>(std::move(memory))) {}
  [[nodiscard]] const Memory& operator*() const { return *memory_; }
  [[nodiscard]] const Memory* operator->() const { return memory_.get(); }
  [[nodiscard]] bool operator==(const MemoryVersion& other) const {
    return memory_ == other.memory_ || *memory_ == *other.memory_;
  }

 private:
  std::shared_ptr<const Memory> memory_;
};

// What an entry says, for whoever reads it; lives as long as the version.
[[nodiscard]] MemoryContent content_of(const Memory& memory);
[[nodiscard]] std::span<const float> embedding_of(const Memory& memory);

// All embeddings of a kind have as many numbers, for as long as there are any.
struct EmbeddedKind {
  std::uint32_t dimension = 0;
  std::uint64_t entries = 0;
  bool operator==(const EmbeddedKind&) const = default;
};

struct MemoryDue {
  Time at;
  MemoryId id;
  auto operator<=>(const MemoryDue&) const = default;
};

// A value; O(1) copy. Changed by fold() alone.
struct Memories {
  PersistentMap<MemoryId, MemoryVersion> all;
  MemoryId last;                      // number given
  PersistentSet<MemoryDue> expiring;  // those that have a time to live
  PersistentMap<NameId, EmbeddedKind> kinds;

  [[nodiscard]] bool empty() const { return !last; }
  // When the next one expires.
  [[nodiscard]] std::optional<Time> next_expiry() const;
  // Nothing where none was ever stored.
  void hash_into(StateHasher& hasher) const;
};

struct EventPlace;

// Each changes `memories` as the event says. What contradicts it changes nothing and answers false:
// a number that is not the next one, an entry that is not there, a field that no entry has, an
// embedding of another size than those of its kind.
bool fold(Memories& memories, Names& names, const EventPlace& place, const MemoryStored& event);
bool fold(Memories& memories, Names& names, const EventPlace& place, const MemoryUpdated& event);
bool fold(Memories& memories, Names& names, const EventPlace& place, const MemoryForgotten& event);

// An entry as a checkpoint has it, behind those that were restored before; false where it makes no
// sense.
[[nodiscard]] bool restore(Memories& memories, MemoryId id, Memory memory);

// What does not hold between the entries and what follows from them.
[[nodiscard]] std::vector<std::string> broken_memories(const Memories& memories,
                                                       const Names& names);

}  // namespace almanac
