// The pools of programs as a part of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_pools(ColumnWriter& writer, const Pools& pools);

// Makes the reader fail where what it reads makes no sense.
void read_pools(ColumnReader& reader, State& state);

}  // namespace almanac
