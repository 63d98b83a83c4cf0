#include <almanac/engine/context_spec.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>
#include <almanac/log/printable.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

namespace almanac {
namespace {

std::unexpected<Error> wrong(const std::string& field, const std::string& why, std::string next) {
  return fail(ErrorCode::invalid, field + " " + why, std::move(next));
}

std::string shown(double number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

Result<void> check_field_name(const std::string& field, std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  const bool fits = !name.empty() && name.size() <= limits::context_field_name_bytes_max;
  if (fits && std::ranges::all_of(name, is_allowed)) return {};
  return wrong(field, "has a name that cannot be kept",
               "write 1 to " + std::to_string(limits::context_field_name_bytes_max) +
                   " letters, digits, '_', '-' and '.'");
}

Result<void> check_text(const std::string& field, std::string_view text) {
  if (text.size() > limits::context_text_bytes_max) {
    return wrong(field, "has " + std::to_string(text.size()) + " bytes",
                 "at most " + std::to_string(limits::context_text_bytes_max) + " are kept");
  }
  if (is_utf8(text)) return {};
  return wrong(field, "is not UTF-8 text", "convert it, or leave it out");
}

Result<void> check_number(const std::string& field, double number, double min, double max) {
  if (number >= min && number <= max && std::isfinite(number)) return {};
  if (!std::isfinite(number)) return wrong(field, "is no finite number", "leave it out");
  return wrong(field, "is " + shown(number), "it goes from " + shown(min) + " to " + shown(max));
}

Result<void> check_value(const std::string& field, const ContextValue& value) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (const auto* text = std::get_if<std::string>(&value)) return check_text(field, *text);
  const auto* number = std::get_if<double>(&value);
  return number == nullptr ? Result<void>() : check_number(field, *number, -infinity, infinity);
}

Result<void> check_declared(const std::string& field, std::string_view name,
                            const ContextValue& value, const ContextOptions& options) {
  if (options.fields.empty()) return {};
  const auto declared = std::ranges::find(options.fields, name, &ContextField::name);
  if (declared == options.fields.end()) {
    return wrong(field, "is none that the program declares",
                 "declare it in EngineOptions::contexts, or make it a preference");
  }
  const auto type = static_cast<ContextFieldType>(value.index());
  if (type != declared->type) {
    return wrong(field, "is a " + std::string(almanac::name(type)),
                 "give it a " + std::string(almanac::name(declared->type)));
  }
  const auto* number = std::get_if<double>(&value);
  return number == nullptr ? Result<void>()
                           : check_number(field, *number, declared->min, declared->max);
}

Result<void> check_turn(const std::string& field, const ConversationTurn& turn) {
  if (static_cast<int>(turn.role) >= turn_role_count) {
    return wrong(field, "has a role that there is not", "use user, assistant, system or tool");
  }
  if (turn.text.empty()) return wrong(field, "has no text", "leave it out");
  return check_text(field, turn.text);
}

}  // namespace

std::string_view name(ContextFieldType type) {
  switch (type) {
    case ContextFieldType::truth: return "truth value";
    case ContextFieldType::number: return "number";
    case ContextFieldType::text: return "text";
  }
  return "unknown";
}

Result<void> check_contexts(const ContextOptions& options) {
  const auto is_range = [](double min, double max) { return min <= max; };
  if (!is_range(options.friendship_min, options.friendship_max)) {
    return wrong("friendship", "has no range", "let its minimum be below its maximum");
  }
  std::set<std::string_view> names;
  for (const ContextField& declared : options.fields) {
    const std::string field = "the field '" + printable(declared.name) + "'";
    if (auto checked = check_field_name(field, declared.name); !checked) return checked;
    if (!names.insert(declared.name).second) {
      return wrong(field, "is declared twice", "remove one of them");
    }
    if (!is_range(declared.min, declared.max)) {
      return wrong(field, "has no range", "let its minimum be below its maximum");
    }
  }
  return {};
}

Result<void> check_user(std::string_view user) { return check_name("user", user); }

Result<void> check_changes(const ContextChanges& changes, const ContextOptions& options) {
  if (changes.parts() > limits::context_change_parts_max) {
    return wrong("the change", "has " + std::to_string(changes.parts()) + " fields and turns",
                 "make several of at most " + std::to_string(limits::context_change_parts_max));
  }
  for (const auto& [name, value] : changes.preferences) {
    const std::string field = "the preference '" + printable(name) + "'";
    auto checked = check_field_name(field, name);
    if (checked && value) checked = check_value(field, *value);
    if (!checked) return checked;
  }
  for (const auto& [name, value] : changes.fields) {
    const std::string field = "the field '" + printable(name) + "'";
    auto checked = check_field_name(field, name);
    if (checked && value) checked = check_value(field, *value);
    if (checked && value) checked = check_declared(field, name, *value, options);
    if (!checked) return checked;
  }
  if (changes.friendship) {
    auto checked = check_number("friendship", *changes.friendship, options.friendship_min,
                                options.friendship_max);
    if (!checked) return checked;
  }
  for (std::size_t i = 0; i < changes.turns.size(); ++i) {
    auto checked = check_turn("turn " + std::to_string(i + 1), changes.turns[i]);
    if (!checked) return checked;
  }
  return {};
}

}  // namespace almanac
