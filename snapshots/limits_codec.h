// What tasks ask for, their versions, what lanes wait for and the limits, as parts of a stored
// state (state_codec.h).
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_demands(ColumnWriter& writer, const Tasks& tasks);
void write_blocked(ColumnWriter& writer, const Tasks& tasks);
void write_limits(ColumnWriter& writer, const ResourceLimits& limits);
void write_versions(ColumnWriter& writer, const State& state);

// Each makes the reader fail where what it reads makes no sense. Behind the names; versions behind
// all of these and the terms.
void read_demands(ColumnReader& reader, Tasks& tasks);
void read_blocked(ColumnReader& reader, Tasks& tasks);
void read_limits(ColumnReader& reader, State& state);
void read_versions(ColumnReader& reader, State& state);

}  // namespace almanac
