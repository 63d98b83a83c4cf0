// The largest parts of a stored state, read so that most of it is made when somebody looks for it
// (deferred_rows.h): for tasks_codec.cc.
#pragma once

#include <almanac/projections/tasks.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

// Each goes behind what it reads, and makes the reader, whose bytes must be kept, fail where it
// makes no sense. The tasks, counted by state: three columns of them are read. O(tasks).
void read_all_deferred(ColumnReader& reader, Tasks& tasks);
// O(ready tasks): two columns of them are read.
void read_ready_deferred(ColumnReader& reader, Tasks& tasks);
// O(keys log keys): the texts are read, to find each by.
void read_keys_deferred(ColumnReader& reader, Tasks& tasks);

}  // namespace almanac
