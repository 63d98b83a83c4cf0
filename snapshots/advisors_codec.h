// The advisors of engines as a part of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_advisors(ColumnWriter& writer, const Advisors& advisors);

// Makes the reader fail where what it reads makes no sense.
void read_advisors(ColumnReader& reader, State& state);

}  // namespace almanac
