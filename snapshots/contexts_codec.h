// What is known of users as a part of a stored state (state_codec.h): as sealed as it is there.
#pragma once

#include <almanac/projections/contexts.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_contexts(ColumnWriter& writer, const Contexts& contexts);

// Makes the reader fail where what it reads makes no sense.
void read_contexts(ColumnReader& reader, Contexts& contexts);

}  // namespace almanac
