// The keys of custom events as a part of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/custom_keys.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_custom_keys(ColumnWriter& writer, const CustomKeys& keys);

// Makes the reader fail where what it reads makes no sense.
void read_custom_keys(ColumnReader& reader, CustomKeys& keys);

}  // namespace almanac
