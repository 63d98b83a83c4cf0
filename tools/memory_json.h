// Entries of the memory domain as JSON.
#pragma once

#include <almanac/projections/state.h>

#include <nlohmann/json_fwd.hpp>

namespace almanac {

// One line of `almanac memory export` without its number; `almanac memory import` reads it.
[[nodiscard]] nlohmann::ordered_json memory_json(const Names& names, const Memory& memory);

}  // namespace almanac
