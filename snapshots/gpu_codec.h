// The devices beside the processor as a part of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_gpu(ColumnWriter& writer, const Gpu& gpu);

// Makes the reader fail where what it reads makes no sense.
void read_gpu(ColumnReader& reader, State& state);

}  // namespace almanac
