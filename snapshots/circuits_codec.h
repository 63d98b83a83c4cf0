// The circuits of services as a part of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_circuits(ColumnWriter& writer, const Circuits& circuits);

// Makes the reader fail where what it reads makes no sense.
void read_circuits(ColumnReader& reader, State& state);

}  // namespace almanac
