// What changed between two states, by projection: what `almanac diff` and `almanac replay` print.
#pragma once

#include <almanac/projections/state.h>

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace almanac {

// {"tasks": {"7": {"state": ["ready", "failed"]}}, "doomed": {…}, "held": {…}, "keys": {…},
// "queues": {…}, "backups": {…}, "schedules": {…}, "engine": {…}, "health": {…}}: for every entry
// that differs its fields with what was and what is; null where it is missing. Projections without
// a change are left out, and so is what follows from the tasks alone. Text may be no UTF-8.
// O(changes).
[[nodiscard]] nlohmann::ordered_json state_changes(const State& before, const State& after);

// The same in lines of 80 columns: "tasks: 1 changed", and below it each entry. Printable.
[[nodiscard]] std::string changes_text(const nlohmann::ordered_json& changes);
// And in one line of JSON, safe on a terminal.
[[nodiscard]] std::string changes_json(nlohmann::ordered_json changes);
// What changed from one state to another, with their positions: what `almanac diff --json` prints.
[[nodiscard]] std::string difference_json(const State& before, const State& after);

}  // namespace almanac
