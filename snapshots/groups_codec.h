// Groups of tasks, as a part of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_groups(ColumnWriter& writer, const Groups& groups);

// Makes the reader fail where what it reads makes no sense. Behind the tasks.
void read_groups(ColumnReader& reader, Tasks& tasks);

}  // namespace almanac
