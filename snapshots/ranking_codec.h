// The part of a state that policies other than the default need (projections/ranking.h), as
// columns.
#pragma once

#include <almanac/projections/tasks.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_ranking(ColumnWriter& writer, const Ranking& ranking);
// A reader that has failed says what of it is not to be used.
void read_ranking(ColumnReader& reader, Ranking& ranking);

// Whether every ready task of a fair queue has its tag and its owner's flow, as folding relies on.
[[nodiscard]] bool knows_tags(const Tasks& tasks);

}  // namespace almanac
