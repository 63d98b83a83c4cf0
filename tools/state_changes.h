// What changed between two states, as JSON by projection: what `almanac diff` prints.
#pragma once

#include <almanac/projections/state.h>

#include <nlohmann/json_fwd.hpp>

namespace almanac {

// {"tasks": {"7": {"state": ["ready", "failed"]}}, "doomed": {…}, "keys": {…}, "queues": {…},
// "engine": {…}}: for every entry that differs its fields with what was and what is; null where it
// is missing. Projections without a change are left out, and so is what follows from the tasks
// alone. Text may be no UTF-8. O(changes).
[[nodiscard]] nlohmann::ordered_json state_changes(const State& before, const State& after);

}  // namespace almanac
