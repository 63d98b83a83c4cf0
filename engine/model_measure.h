// What one load takes of a GPU's memory, by what a driver says is free in front of it and behind
// it; and whether that can be told. It cannot
// - where the driver has nothing but an estimate,
// - where it makes no sense: less than half of what was declared, or more than twice of it,
// - where something else of ours gave memory of that GPU back meanwhile: a task that had asked for
//   some has ended, or what had failed or was slow in front of the load may still come free,
// - where it is less than was declared, and more came free between two looks: then somebody else
//   has given memory back, or the load itself, and nobody can say who.
// What the process itself uses is not moved by others: where that has grown by an amount that makes
// sense, it is what the load has taken, whatever else came free.
//
// What cannot be told is not learned: what was measured before counts, or what was declared.
#pragma once

#include <almanac/projections/gpu.h>

#include <cstdint>

namespace almanac {

// A value. Sizes are in bytes.
class LoadMeasure {
 public:
  // In front of the load: from a look since it was decided, with what tasks have been given of that
  // GPU. Restless: of ours something may still come free there.
  LoadMeasure(const GpuMemory& before, std::uint64_t held_by_tasks, bool is_restless);

  // The last look, and what tasks have now; as often as one likes, from the load until what is free
  // is steady.
  void see(const GpuMemory& now, std::uint64_t held_by_tasks);
  // What it has taken; 0 where that cannot be told.
  [[nodiscard]] std::uint64_t learned(std::uint64_t declared) const;

 private:
  GpuMemory before_;
  GpuMemory now_;
  std::uint64_t least_ = 0;  // that was free
  std::uint64_t held_ = 0;
  bool is_restless_ = false;
  bool has_risen_ = false;  // what is free
};

// What is free differs so little that it has come to rest.
[[nodiscard]] bool is_steady(const GpuMemory& before, const GpuMemory& now);
// Whether a driver shows an unload: half of what it took is free that was not before.
[[nodiscard]] bool shows_release(std::uint64_t before, const GpuMemory& now, std::uint64_t bytes);

}  // namespace almanac
