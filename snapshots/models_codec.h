// What is loaded into the memory of GPUs as a part of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_models(ColumnWriter& writer, const Models& models);

// Makes the reader fail where what it reads makes no sense.
void read_models(ColumnReader& reader, State& state);

}  // namespace almanac
