// What programs remember: entries that never change, of which an update makes another version.
// Contents and embeddings are here and not only in the log, so that what is known at a position can
// be searched by itself, also where the front of the log has gone. What entries of users say is
// sealed with a key of the user's, and stays so in a state; memory_content.h opens it.
#pragma once

#include <almanac/log/events/context.h>
#include <almanac/log/events/memory.h>
#include <almanac/log/types.h>
#include <almanac/projections/contexts.h>
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

// All that an entry of a user says.
struct SealedContent {
  UserKeyId key{};
  std::uint32_t dimension = 0;  // of its embedding
  SharedText bytes;
  bool operator==(const SealedContent&) const = default;
};

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
  // Of an entry of a user: in a state there are then no texts and tags beside it. Who has opened
  // it (memory_content.h) has the texts too, and its tags as one text, a line for each.
  std::optional<SealedContent> sealed = {};
  SharedText own_tags = {};
  bool operator==(const Memory&) const = default;

  // False where it is sealed and was not opened.
  [[nodiscard]] bool is_readable() const { return !sealed || !content.view().empty(); }

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
// Of its embedding, also where that is sealed; 0 = it has none.
[[nodiscard]] std::uint32_t dimension_of(const Memory& memory);
[[nodiscard]] std::vector<std::string_view> tags_of(const Names& names, const Memory& memory);

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
  // What entries of a user are sealed with, until the user is forgotten: also where none is left.
  PersistentMap<NameId, UserKeyId> user_keys;

  [[nodiscard]] bool empty() const { return !last; }
  // When the next one expires.
  [[nodiscard]] std::optional<Time> next_expiry() const;
  // Nothing where none was ever stored.
  void hash_into(StateHasher& hasher) const;
};

struct EventPlace;

// Each changes `memories` as the event says. What contradicts it changes nothing and answers false:
// a number that is not the next one, an entry that is not there, a field that no entry has, an
// embedding of another size than those of its kind, a user's entry that is sealed with another key
// than the others.
bool fold(Memories& memories, Names& names, const EventPlace& place, const MemoryStored& event);
bool fold(Memories& memories, Names& names, const EventPlace& place, const MemoryUpdated& event);
bool fold(Memories& memories, Names& names, const EventPlace& place, const MemoryForgotten& event);
// The user's key was destroyed: entries stay as they are, and nobody opens them any more. False
// where none is of the user.
bool fold_user_forgotten(Memories& memories, const Names& names, const UserForgotten& event);

// An entry as a checkpoint has it, behind those that were restored before; false where it makes no
// sense.
[[nodiscard]] bool restore(Memories& memories, MemoryId id, Memory memory);
// What a restored entry of a user says; false where there is no such entry, or it says something.
[[nodiscard]] bool restore_sealed(Memories& memories, MemoryId id, SealedContent content);

// What does not hold between the entries and what follows from them.
[[nodiscard]] std::vector<std::string> broken_memories(const Memories& memories,
                                                       const Names& names);

}  // namespace almanac
