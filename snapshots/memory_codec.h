// What programs remember as a part of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

void write_memories(ColumnWriter& writer, const Memories& memories);

// Makes the reader fail where what it reads makes no sense.
void read_memories(ColumnReader& reader, State& state);

// What entries of users say, behind all entries, and which keys they are sealed with.
[[nodiscard]] bool has_sealed_memories(const Memories& memories);
void write_sealed_memories(ColumnWriter& writer, const Memories& memories);
void read_sealed_memories(ColumnReader& reader, State& state);

}  // namespace almanac
