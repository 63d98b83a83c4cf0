// How well things go, as it is on record, as a part of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_health(ColumnWriter& writer, const HealthRecord& record);

// Makes the reader fail where what it reads makes no sense.
void read_health(ColumnReader& reader, HealthRecord& record);

}  // namespace almanac
