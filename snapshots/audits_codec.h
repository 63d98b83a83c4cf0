// Who asked for what, and who was turned away, as a part of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_audits(ColumnWriter& writer, const Audits& audits);

// Makes the reader fail where what it reads makes no sense.
void read_audits(ColumnReader& reader, State& state);

}  // namespace almanac
