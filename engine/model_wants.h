// What tasks that could begin want of GPUs: models they name, and memory they ask for. Pure.
#pragma once

#include <almanac/engine/model_plan.h>

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

namespace almanac {

// Models that tasks want, and since when the first of those does. Tasks that are paused, that
// nothing runs, that a circuit holds back, or that name models which never fit together want none.
// O(lanes that ask for something).
[[nodiscard]] std::map<NameId, Time> wanted_models(const State& state);

// All tasks that ask for as much of the same, be it of any GPU or of one (gpu_memory.h).
struct MemoryWish {
  NameId demand;
  std::uint32_t mebibytes = 0;
  auto operator<=>(const MemoryWish&) const = default;
  [[nodiscard]] std::uint64_t bytes() const { return mebibytes * bytes_of_mebibyte; }
};
// Memory that tasks want, as above, and since when; what has just been given waits anew. None where
// the engine has no slot left.
[[nodiscard]] std::map<MemoryWish, Time> wanted_memory(const State& state);

// As far as a state knows: its GPUs as they were last sampled, tasks that run for who uses a model,
// and what they have of GPUs.
[[nodiscard]] ModelRoom room_of(const State& state, Time now);

// Whether the models of these that there are could be loaded at the same time, were nothing else on
// the GPUs, as large as these are; true where no GPU is known. Exact for as many as tasks name.
[[nodiscard]] bool fit_together(const State& state, const std::vector<NameId>& models);
[[nodiscard]] std::vector<NameId> models_of(const State& state, const Lane& lane);

}  // namespace almanac
