// The first position at which a condition holds, found by halves: what `almanac bisect` answers.
#pragma once

#include <almanac/tools/past.h>

#include <almanac/projections/query.h>
#include <almanac/snapshots/past_states.h>

#include <cstdint>
#include <string>

namespace almanac {

struct Bisected {
  Position position;         // where it first holds
  std::uint64_t states = 0;  // looked at
};
// The query is about the state. O(log n) states. Errors: refused (it holds at the beginning),
// not_found (it does not at the end), and those of PastStates::at().
[[nodiscard]] Result<Bisected> find_first(const PastStates& past, const Query& query,
                                          PastRange range);
// With the event that made it hold, in one line of JSON, safe on a terminal. Errors: those of
// Log::read_one.
[[nodiscard]] Result<std::string> bisected_json(const Log& log, const Bisected& found);

}  // namespace almanac
