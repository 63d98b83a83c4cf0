// Memory of GPUs that tasks ask for by its size, whatever they load into it. It is a demand of a
// name of its own, in MiB: gpu_memory of any GPU, gpu_memory:IDENTITY of that one. Which one has it
// is on record when the task begins (TaskStarted::gpu), and holds until the attempt is over.
//
// What a task has been given is kept free for it until a driver shows that it was taken: as much as
// the samples up to gpu_settle_time behind its beginning show less than was free before. What they
// do not show stays kept free until the task ends: it may still take it.
#pragma once

#include <almanac/log/types.h>
#include <almanac/projections/names.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct State;

inline constexpr std::string_view gpu_memory_name = "gpu_memory";
inline constexpr std::uint64_t bytes_of_mebibyte = std::uint64_t{1} << 20U;

[[nodiscard]] bool is_gpu_memory(std::string_view demand);
// Of such a demand: the identity of the GPU; empty = any.
[[nodiscard]] std::string_view gpu_of_demand(std::string_view demand);
[[nodiscard]] std::string gpu_memory_demand(std::string_view gpu);
// Rounded up; the most there is of a number of units where it is more than that.
[[nodiscard]] std::uint32_t mebibytes_of(std::uint64_t bytes);

// What tasks that run have been given of one GPU, in bytes.
struct GpuHold {
  std::uint64_t held = 0;
  std::uint64_t unseen = 0;  // of it: kept free for them, as no sample shows it yet
  Time settles_at;           // until then less than half of it was seen; not set = it was
  bool operator==(const GpuHold&) const = default;
};
// Of each GPU of which tasks have some. O(those tasks * samples of their GPUs).
[[nodiscard]] std::map<NameId, GpuHold> held_memory(const State& state, Time now);

// What a task that begins now can be given of a GPU, in bytes, as the state knows it: what its
// driver says is free, less what is kept free for models and tasks, and never more than its size
// leaves beside all that they have. 0 of one that is not there, that nobody has looked at, or where
// a model is being loaded or unloaded.
[[nodiscard]] std::uint64_t memory_to_give(const State& state, NameId gpu, Time now);
// The most that can ever be had of it: the size of the memory of its own, or the estimate of its
// budget. 0 of one that is not known.
[[nodiscard]] std::uint64_t memory_of(const State& state, NameId gpu);
// The most that anybody could ever have of the GPU of this identity, or, where that is empty, of
// one of all; none where it, or any, is not known.
[[nodiscard]] std::optional<std::uint64_t> most_memory(const State& state, std::string_view gpu);
// Whether none of the GPUs that are known could ever have as much: it never runs.
[[nodiscard]] bool never_fits(const State& state, NameId demand, std::uint32_t mebibytes);
// The only one that a demand is for; none for any. Of one whose GPU nobody knows: is_known is
// false.
struct GpuAsked {
  std::optional<NameId> gpu;
  bool is_known = true;
};
[[nodiscard]] GpuAsked gpu_asked(const State& state, NameId demand);

// What is wrong with what tasks have of GPUs; empty where nothing is (invariants.h).
[[nodiscard]] std::vector<std::string> broken_places(const State& state);

}  // namespace almanac
