// What programs know of their users: fields with a value each, and conversations, turn by turn. All
// of it is sealed with a key of the user's own, and stays so in a state: folding, digests and
// checkpoints need no key. context_content.h opens it.
#pragma once

#include <almanac/log/events/context.h>
#include <almanac/log/types.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>
#include <almanac/projections/persistent/shared_text.h>
#include <almanac/projections/state_hasher.h>
#include <almanac/projections/text_table.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace almanac {

// Which key it is: drawn by chance with it.
using UserKeyId = std::array<std::byte, 16>;
// What stands for the name of a field: made of it and the user's key (context_content.h).
using FieldMark = std::array<std::byte, 16>;

// As an event has them; none where these are not so many bytes.
[[nodiscard]] std::optional<std::array<std::byte, 16>> sixteen_bytes(Bytes bytes);

struct SealedTurn {
  SharedText content;
  Time at;
  bool operator==(const SealedTurn&) const = default;
};

// Of one user. Immutable once it is in a state; copying it costs two pointers.
struct UserContext {
  UserKeyId key{};
  Position version;  // the last event about it
  Time changed_at;
  PersistentMap<FieldMark, SharedText> fields;     // sealed
  PersistentMap<std::uint64_t, SealedTurn> turns;  // by number, from 1 in the order of being added
  std::uint64_t turns_added = 0;  // of which limits::context_turns_kept_max are kept
  bool operator==(const UserContext&) const = default;
};

// A context that all states share which have it so.
class SharedContext {
 public:
  explicit SharedContext(UserContext context)
      : context_(std::make_shared<const UserContext>(std::move(context))) {}

  [[nodiscard]] const UserContext& operator*() const { return *context_; }
  [[nodiscard]] const UserContext* operator->() const { return context_.get(); }
  [[nodiscard]] const std::shared_ptr<const UserContext>& pointer() const { return context_; }
  [[nodiscard]] bool operator==(const SharedContext& other) const {
    return context_ == other.context_ || *context_ == *other.context_;
  }

 private:
  std::shared_ptr<const UserContext> context_;
};

// A value; O(1) copy. Changed by fold() alone.
struct Contexts {
  TextTable users;
  PersistentMap<TextNumber, SharedContext> all;
  PersistentSet<UserKeyId> destroyed;  // keys of users who were forgotten
  std::uint64_t changes = 0;           // events that changed a context, in all
  Position changed;                    // the last of them
  Time changed_at;

  [[nodiscard]] bool empty() const { return changes == 0 && destroyed.empty(); }
  // nullptr where nothing is known of the user. O(log n); allocates nothing.
  [[nodiscard]] const SharedContext* find(std::string_view user) const;

  // Nothing while there is none, so that states of before there were contexts keep their digests.
  void hash_into(StateHasher& hasher) const;
};

struct EventPlace;

// Where the context is of another key, or the key was destroyed, nothing changes and the answer is
// false.
bool fold(Contexts& contexts, const EventPlace& place, const ContextChanged& event);
bool fold(Contexts& contexts, const EventPlace& place, const ConversationTurnAdded& event);
bool fold(Contexts& contexts, const EventPlace& place, const UserForgotten& event);

}  // namespace almanac
