// The schedules of a state as a checkpoint holds them: a row for each, and its definition as a
// frame of one event, so that a checkpoint knows of a task whatever the log knows of one.
#pragma once

#include <almanac/projections/schedules.h>
#include <almanac/snapshots/columns.h>

#include <cstddef>
#include <vector>

namespace almanac {

// A definition as such a frame: two are the same where these bytes are.
[[nodiscard]] std::vector<std::byte> encode(const ScheduleDefined& definition);

void write_schedules(ColumnWriter& writer, const Schedules& schedules);
// The reader has failed when they make no sense.
void read_schedules(ColumnReader& reader, Schedules& schedules);

}  // namespace almanac
