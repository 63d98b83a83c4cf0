// What is loaded into the memory of GPUs as a part of a stored state (state_codec.h).
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/columns.h>

namespace almanac {

// How much models are used of late, and what tasks have of GPUs: came later.
[[nodiscard]] bool has_gpu_use(const State& state);
void write_gpu_use(ColumnWriter& writer, const State& state);

void write_models(ColumnWriter& writer, const Models& models);

// Makes the reader fail where what it reads makes no sense.
void read_models(ColumnReader& reader, State& state);
// Behind the models.
void read_gpu_use(ColumnReader& reader, State& state);

}  // namespace almanac
