#include <almanac/tools/context_text.h>

#include <almanac/tools/text.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <charconv>

namespace almanac {

nlohmann::ordered_json value_json(const ContextValue& value) {
  return std::visit([](const auto& one) { return nlohmann::ordered_json(one); }, value);
}

std::string value_text(const ContextValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return printable(*text);
  return value_json(value).dump();
}

ContextValue parse_value(std::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  if (text.size() > 1 && text.starts_with('"') && text.ends_with('"')) {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

Result<TurnRole> parse_role(std::string_view text) {
  for (int i = 0; i < turn_role_count; ++i) {
    if (const auto role = static_cast<TurnRole>(i); name(role) == text) return role;
  }
  return fail(ErrorCode::invalid,
              fmt::format("'{}' says nothing in a conversation", printable(text)),
              "write user:TEXT, assistant:TEXT, system:TEXT or tool:TEXT");
}

Error nobody(std::string_view user) {
  return {ErrorCode::not_found, fmt::format("nothing is known of user '{}'", printable(user)),
          "`almanac context set` is what makes something known"};
}

}  // namespace almanac
