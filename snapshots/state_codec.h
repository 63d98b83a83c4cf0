// A state as bytes and back. Everything is written in the order of its keys, the secondary orders
// too: reading them in bulk is several times faster than sorting a million keys again.
#pragma once

#include <almanac/log/error.h>
#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace almanac {

// Pure; any thread. O(n). Behind what was written to `front`, whose sink takes the large tables.
[[nodiscard]] std::vector<std::byte> encode(const State& state,
                                            ColumnWriter front = ColumnWriter());
// The same state, as its digest shows. The bytes are those of encode(); others are an error or some
// state, never a crash. Where somebody keeps them, the state keeps him, and most of what is large
// is made when it is looked for: O(what has to be counted) now. Works on two threads. Errors:
// corrupt.
[[nodiscard]] Result<State> decode_state(Bytes bytes, std::shared_ptr<const void> keeper = nullptr);
// The same of what a reader stands at, whose blocks may be kept elsewhere.
[[nodiscard]] Result<State> decode_state(ColumnReader reader);

}  // namespace almanac
