// What must hold of backups in every state.
#pragma once

#include <almanac/projections/state.h>

#include <string>
#include <vector>

namespace almanac {

// What contradicts itself, in words. O(jobs).
[[nodiscard]] std::vector<std::string> broken_backups(const State& state);

}  // namespace almanac
