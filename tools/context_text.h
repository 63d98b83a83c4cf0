// What is known of a user in words, for the subcommands of `almanac context`.
#pragma once

#include <almanac/log/error.h>
#include <almanac/projections/context_content.h>

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace almanac {

[[nodiscard]] nlohmann::ordered_json value_json(const ContextValue& value);
[[nodiscard]] std::string value_text(const ContextValue& value);
// true, false, a number, or text, which may stand in quotes.
[[nodiscard]] ContextValue parse_value(std::string_view text);
// Errors: invalid.
[[nodiscard]] Result<TurnRole> parse_role(std::string_view text);
// Nothing is known of the user: not_found, in words.
[[nodiscard]] Error nobody(std::string_view user);

}  // namespace almanac
