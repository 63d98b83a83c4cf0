// What stands beside tasks (dependencies and what they must come to, how a task is tried again,
// what attempts have left, which are unique, which run elsewhere), what is paused, how long queues
// keep tasks, and what kinds are run by, as parts of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_edges(ColumnWriter& writer, const PersistentSet<DependencyKey>& edges);
void write_conditions(ColumnWriter& writer, const Tasks& tasks);
void write_marks(ColumnWriter& writer, const Tasks& tasks);
void write_pauses(ColumnWriter& writer, const Pauses& pauses);
void write_queue_retention(ColumnWriter& writer, const Queues& queues);
void write_retries(ColumnWriter& writer, const Tasks& tasks);
void write_implementations(ColumnWriter& writer, const State& state);
void write_unique(ColumnWriter& writer, const UniqueTasks& unique);
void write_remote(ColumnWriter& writer, const Tasks& tasks);

// Each makes the reader fail where what it reads makes no sense. Retries behind the terms.
void read_edges(ColumnReader& reader, PersistentSet<DependencyKey>& edges);
void read_conditions(ColumnReader& reader, Tasks& tasks);
void read_marks(ColumnReader& reader, Tasks& tasks);
void read_pauses(ColumnReader& reader, Pauses& pauses);
void read_queue_retention(ColumnReader& reader, Queues& queues);
void read_retries(ColumnReader& reader, Tasks& tasks);
void read_implementations(ColumnReader& reader, State& state);
void read_unique(ColumnReader& reader, UniqueTasks& unique);
void read_remote(ColumnReader& reader, Tasks& tasks);

}  // namespace almanac
