// What is known of a user, opened, and how it is sealed: XChaCha20-Poly1305 with the user's key.
// Not even the name of a field can be read without it: in events and states a mark stands for it,
// which is made of both.
#pragma once

#include <almanac/log/crypto.h>
#include <almanac/projections/contexts.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace almanac {

using ContextValue = std::variant<bool, double, std::string>;

enum class ContextFieldKind : std::uint8_t {
  preference,  // of the user, by whatever key
  friendship,  // how well user and program know each other; has no name
  declared,    // what the program says there is (ContextField)
};
inline constexpr int context_field_kind_count = 3;

// Where a value stands in a context.
struct ContextFieldName {
  ContextFieldKind kind = ContextFieldKind::preference;
  std::string name;
  auto operator<=>(const ContextFieldName&) const = default;
};

enum class TurnRole : std::uint8_t { user, assistant, system, tool };
inline constexpr int turn_role_count = 4;
[[nodiscard]] std::string_view name(TurnRole role);

struct ConversationTurn {
  TurnRole role = TurnRole::user;
  std::string text;
  Time at;  // when it was added
  bool operator==(const ConversationTurn&) const = default;
};

// All that is known of a user, in the clear.
struct OpenContext {
  Position version;
  Time changed_at;
  std::map<std::string, ContextValue> preferences;
  std::optional<double> friendship;
  std::map<std::string, ContextValue> fields;
  std::vector<ConversationTurn> turns;  // the oldest that is kept first
  std::uint64_t turns_added = 0;        // also those that are not kept
};

[[nodiscard]] FieldMark mark_of(const ContextFieldName& field, const EncryptionKey& key);
[[nodiscard]] std::string seal(const ContextFieldName& field, const ContextValue& value,
                               const EncryptionKey& key);
// The time is not in it.
[[nodiscard]] std::string seal(const ConversationTurn& turn, const EncryptionKey& key);

struct OpenField {
  ContextFieldName name;
  ContextValue value;
};
// Errors of these: corrupt (sealed with another key, or changed).
[[nodiscard]] Result<OpenField> open_field(std::string_view content, const EncryptionKey& key);
[[nodiscard]] Result<ConversationTurn> open_turn(std::string_view content, Time at,
                                                 const EncryptionKey& key);
// Some 2 microseconds for each field and turn.
[[nodiscard]] Result<OpenContext> open_context(const UserContext& context,
                                               const EncryptionKey& key);

}  // namespace almanac
