// The tasks, their orders and their idempotency keys, as parts of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/tasks.h>
#include <almanac/snapshots/columns.h>
#include <almanac/snapshots/state_columns.h>

namespace almanac {

inline constexpr std::size_t task_columns = 21;
// Of a row: the task's number, its state, the status of its last attempt.
inline constexpr std::size_t task_number_column = 0;
inline constexpr std::size_t task_state_column = 1;
inline constexpr std::size_t task_status_column = 2;
// What a row says, which is not checked.
[[nodiscard]] Task task_of(const Row<task_columns>& row);

// Of a row of a lane's order.
inline constexpr std::size_t ready_columns = 4;
[[nodiscard]] inline Lane plain_lane(std::uint64_t queue, std::uint64_t kind) {
  return {name_of(queue), name_of(kind), {}};
}
[[nodiscard]] inline LanePlace place_of(const Row<ready_columns>& row) {
  return {unfolded(row[2]), TaskId(row[3])};
}
// Of a row of the idempotency keys, the first of which is the length of the key.
inline constexpr std::size_t key_columns = 3;
[[nodiscard]] inline KeyedTask keyed_task_of(const Row<key_columns>& row) {
  return {TaskId(row[1]), row[2]};
}

void write_tasks(ColumnWriter& writer, const Tasks& tasks);

// Makes the reader fail where what it reads makes no sense. Works on two threads. Where the
// reader's bytes are kept, most tasks, places and keys are made when somebody looks for them.
void read_tasks(ColumnReader& reader, Tasks& tasks);

}  // namespace almanac
