// The components that an engine keeps as a part of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_components(ColumnWriter& writer, const Components& components);

// Makes the reader fail where what it reads makes no sense.
void read_components(ColumnReader& reader, State& state);

}  // namespace almanac
