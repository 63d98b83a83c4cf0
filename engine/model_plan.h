// Where a model goes, what has to give way to it, and why it has to wait: pure, from what was last
// measured and what is kept free. Sizes are in bytes.
#pragma once

#include <almanac/engine/gpu_options.h>
#include <almanac/projections/gpu_memory.h>
#include <almanac/projections/state.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace almanac {

// A GPU as a plan sees it: the largest heap that is its own.
struct GpuRoom {
  NameId gpu;
  bool is_usable = false;  // it is there, and somebody has looked
  GpuMemory memory;
  GpuLevel level = GpuLevel::normal;
};

// What a state knows of them, …
[[nodiscard]] std::vector<GpuRoom> rooms_of(const State& state);
// … with what a later look has shown of those that are still there. One whose alert is as good as
// over is not critical any more.
void refresh(std::vector<GpuRoom>& rooms, const State& state, const GpuReading& seen,
             const GpuSetting& setting);

// What only the engine that uses a model knows.
struct ModelUse {
  std::uint32_t in_use = 0;
  Time used_at;
  bool is_leaving = false;  // something was decided about it that is not in the state yet
};

struct ModelRoom {
  const Models& models;
  std::vector<GpuRoom> gpus;
  std::map<NameId, ModelUse> uses;
  std::set<NameId> moving;  // GPUs of which something was decided that is not in the state yet
  Time now;
  std::map<NameId, GpuHold> held = {};  // of GPUs, by tasks that asked for memory
};

// What a GPU has left: what its driver says, less what is kept free for models whose load it does
// not show yet, and for tasks that asked for memory; and never more than its size, or the estimate
// of its budget, leaves beside all that is there. 0 of one that cannot be used.
[[nodiscard]] std::uint64_t free_bytes(const ModelRoom& room, NameId gpu);
// What it will have left once all that is being unloaded is gone; below zero where more is promised
// than there is, or it cannot be used.
[[nodiscard]] std::int64_t bytes_to_be_free(const ModelRoom& room, NameId gpu);
[[nodiscard]] bool can_load(const ModelRoom& room, NameId gpu, std::uint64_t bytes);

// Whether a model is being loaded to a GPU, or unloaded from it: on each one goes after the other.
[[nodiscard]] bool has_one_on_its_way(const ModelRoom& room, NameId gpu);

struct EvictionCandidate {
  NameId model;
  std::uint64_t bytes = 0;
  std::int32_t priority = 0;
  Duration load_time{0};
  Time used_at;
  std::uint64_t heat = 0;  // of late, in thousandths of a use
};

// Those on a GPU that may give way to one of this priority: resident, not pinned, not in use,
// longer there than they must be, and of no higher priority.
[[nodiscard]] std::vector<EvictionCandidate> evictable(const ModelRoom& room, NameId gpu,
                                                       std::int32_t priority);

// The set that frees so many bytes at the least cost: of the lowest highest priority; then of the
// least time to load again, which counts once more for each use of late; then whose last use is
// longest ago, then of the fewest. None where all
// of them are not enough. The cheapest of all for up to limits::model_search_max candidates, of
// which each that is left out would be missed; of more, one from which none can be left out.
[[nodiscard]] std::optional<std::vector<NameId>> cheapest_set(
    std::vector<EvictionCandidate> candidates, std::uint64_t bytes);

// What has to go first where the memory of a GPU is critical: the one whose last use is longest ago
// of those that are resident, not pinned and not in use. None while one is on its way.
[[nodiscard]] std::optional<NameId> to_relieve(const ModelRoom& room, NameId gpu);

struct LoadPlan {
  enum class Kind : std::uint8_t {
    load,
    evict,   // these first
    wait,    // something is on its way, or nothing is known of a GPU
    no_way,  // not as things are
  };
  Kind kind = Kind::wait;
  NameId gpu;                 // of all but no GPU at all
  std::vector<NameId> evict;  // at least one exactly for `evict`; one after the other
  std::string reason;         // "needs 9.2 GiB, device 6e76696c has 5.9 free, …"; empty for `load`
};

// What is asked of a GPU. Memory alone finds room beside a task that is still taking its own, a
// model does not: it could not be measured.
struct RoomWish {
  std::uint64_t bytes = 0;
  std::optional<NameId> gpu;  // the only one; none = any
  std::int32_t priority = 0;
  bool is_model = true;
};
[[nodiscard]] LoadPlan plan_room(const ModelRoom& room, const Names& names, const RoomWish& wish);
// A model whose loads fail again and again may take more than is believed: for each fourth load
// room is made for twice as much, where that can be.
[[nodiscard]] std::optional<RoomWish> wish_behind_failures(const Model& model);
// Of a model that is absent. On the GPU with most room, else on that whose evictions are cheapest.
[[nodiscard]] LoadPlan plan_load(const ModelRoom& room, const Names& names, NameId model);

}  // namespace almanac
