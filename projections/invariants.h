// What holds between the parts of every state that fold() has made, and what of it a state breaks.
// A state from a damaged or foreign source may break any of it; one folded from a log breaks none.
#pragma once

#include <almanac/projections/state.h>

#include <cstddef>
#include <string>
#include <vector>

namespace almanac {

// One sentence for each thing that does not fit, such as "task 7 is ready and not in the ready
// order"; no more than `most` of them. Empty for a sound state. Pure; any thread; O(n log n).
[[nodiscard]] std::vector<std::string> broken_invariants(const State& state,
                                                         std::size_t most = 100);

}  // namespace almanac
