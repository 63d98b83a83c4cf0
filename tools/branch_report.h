// What commands that make a new timeline print about it.
#pragma once

#include <almanac/snapshots/branch.h>

#include <nlohmann/json_fwd.hpp>

namespace almanac {

// Lines for people.
void print(const BranchReport& report);
// {"timeline": …, "origin": …, "last": …}
[[nodiscard]] nlohmann::ordered_json json_of(const BranchReport& report);

}  // namespace almanac
