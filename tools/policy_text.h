// The policy of a queue as people and programs read it.
#pragma once

#include <almanac/log/error.h>
#include <almanac/projections/names.h>
#include <almanac/projections/policy.h>

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace almanac {

// By its name. Errors: invalid.
[[nodiscard]] Result<QueuePolicy> parse_policy(std::string_view text);

// The kind and the settings that it uses; weights by name.
[[nodiscard]] nlohmann::ordered_json policy_json(const Names& names, const Policy& policy);
// "urgency, window 24h, high 30 …" behind `begin`: the kind and its settings, of weights those that
// are not 0. In lines for a terminal, those behind the first indented; ends with one.
[[nodiscard]] std::string policy_text(std::string begin, const Names& names, const Policy& policy);

}  // namespace almanac
