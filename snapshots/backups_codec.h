// The backup jobs of a state as a checkpoint holds them.
#pragma once

#include <almanac/projections/backups.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_backups(ColumnWriter& writer, const Backups& backups);
// The reader has failed when they make no sense.
void read_backups(ColumnReader& reader, Backups& backups);

}  // namespace almanac
