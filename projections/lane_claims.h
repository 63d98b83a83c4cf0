// What a task takes when it starts, beside a slot of the engine, and how much of it there is. A
// task's demands and what its queue and kind imply are one thing here, as is a service that it asks
// for, of which a circuit lets all tasks begin, or none, or some probes; and a model, with which
// any number of tasks begin while it is loaded.
#pragma once

#include <almanac/projections/state.h>

#include <cstdint>
#include <vector>

namespace almanac {

enum class ClaimOn : std::uint8_t { circuit, model, gpu_memory, tokens, queue_slots, units };

struct LaneClaim {
  ClaimOn on = ClaimOn::units;
  NameId limit;  // of circuit, the service; of model, the model; of queue_slots, the queue
  std::uint32_t amount = 1;  // of gpu_memory, MiB
};

// Of every task of a lane, in the order in which they are secured: circuits, models,
// memory of GPUs, tokens, the queue's slot, units. A demand that has the name of a model is for it,
// as much as it is for a limit of that name. Empty where nothing is limited. O(its demands * log).
[[nodiscard]] std::vector<LaneClaim> claims_of(const State& state, const Lane& lane);

struct ClaimRoom {
  std::uint64_t most = 0;  // that there can be
  std::uint64_t free = 0;
};
// O(tasks that hold some of it; of a kind's limit, all that run; of a circuit, its probes).
[[nodiscard]] ClaimRoom room_for(const State& state, const LaneClaim& claim, Time now);

// Whether tasks that name it may begin: it is loaded, to a GPU that is there.
[[nodiscard]] bool is_usable(const State& state, const Model& model);
// Tasks that run and have named it. O(their number).
[[nodiscard]] std::uint64_t tasks_with(const State& state, NameId model);

// Held by tasks that run.
[[nodiscard]] std::uint64_t units_in_use(const State& state, NameId limit);

}  // namespace almanac
