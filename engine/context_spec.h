// What a program says of its users: what it has learned, and which fields there are. Part of
// user_contexts.h.
#pragma once

#include <almanac/log/error.h>
#include <almanac/projections/context_content.h>

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

enum class ContextFieldType : std::uint8_t { truth, number, text };
[[nodiscard]] std::string_view name(ContextFieldType type);

// A field of the program's own, beside preferences and friendship.
struct ContextField {
  std::string name;
  ContextFieldType type = ContextFieldType::text;
  double min = -std::numeric_limits<double>::infinity();  // of a number
  double max = std::numeric_limits<double>::infinity();
};

struct ContextOptions {
  double friendship_min = 0;
  double friendship_max = 1;
  // A program that declares some can set no others; one that declares none any.
  std::vector<ContextField> fields = {};
};

// A value that is not there takes the field away; what is not named stays as it is.
struct ContextChanges {
  std::map<std::string, std::optional<ContextValue>> preferences = {};
  std::optional<double> friendship = {};
  std::map<std::string, std::optional<ContextValue>> fields = {};
  std::vector<ConversationTurn> turns = {};  // added, in this order; when is the log's to say

  [[nodiscard]] std::size_t parts() const {
    return preferences.size() + fields.size() + turns.size() + (friendship ? 1 : 0);
  }
};

// Errors of these: invalid, which name the field.
[[nodiscard]] Result<void> check_contexts(const ContextOptions& options);
[[nodiscard]] Result<void> check_user(std::string_view user);
[[nodiscard]] Result<void> check_changes(const ContextChanges& changes,
                                         const ContextOptions& options);

}  // namespace almanac
