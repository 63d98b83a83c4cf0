// GPUs as programs read them: what `gpu list` prints with --json, and what a daemon answers.
#pragma once

#include <almanac/projections/state.h>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>

namespace almanac {

// What tasks that run have been given of a GPU, in bytes, whether they have taken it yet or not.
// O(tasks that have some of any).
[[nodiscard]] std::uint64_t held_by_tasks(const State& state, NameId gpu);
// One with its identity, that, and its heaps.
[[nodiscard]] nlohmann::ordered_json gpu_json(const State& state, NameId gpu,
                                              const GpuDevice& device);

}  // namespace almanac
