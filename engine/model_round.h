// One look of the runner of models at everything, with the mutex of its table held; what it comes
// to is done outside of that. Seen by what implements the runner.
#pragma once

#include <almanac/engine/model_runner.h>
#include <almanac/engine/model_turns.h>

#include <algorithm>

namespace almanac {

struct ModelRunner::Round {
  std::shared_ptr<const State> state;
  SteadyTime now;
  ModelRoom room;
  std::vector<Said> said;
  std::vector<std::function<void()>> answers;
  std::vector<std::unique_ptr<ModelWork>> dropped;  // joined outside of the mutex
  std::optional<Duration> look_every;  // at the GPUs, as long as something is waited for there
  std::optional<SteadyTime> due;
  ModelTurns turns;  // of what tasks want

  void consider(SteadyTime at) {
    if (!due || at < *due) due = at;
  }
  // Not there, for certain.
  [[nodiscard]] bool is_gone(NameId gpu) const {
    const GpuDevice* device = state->gpu.devices.find(gpu);
    return device != nullptr && device->presence != GpuPresence::present &&
           device->presence != GpuPresence::unknown;
  }
  void look_each(Duration interval) {
    look_every = std::min(look_every.value_or(interval), interval);
  }
  // What tasks have been given of it, in bytes.
  [[nodiscard]] std::uint64_t held_on(NameId gpu) const {
    const auto found = room.held.find(gpu);
    return found == room.held.end() ? 0 : found->second.held;
  }
  // A step of it was refused just now, and is not asked for again yet.
  [[nodiscard]] bool is_too_soon(const ModelEntry& entry) {
    if (now < entry.told_next) consider(entry.told_next);
    return now < entry.told_next;
  }
  [[nodiscard]] std::string text(NameId id) const { return std::string(state->names.text(id)); }
  [[nodiscard]] const GpuRoom* usable(NameId gpu) const {
    const auto found = std::ranges::find(room.gpus, gpu, &GpuRoom::gpu);
    return found != room.gpus.end() && found->is_usable ? &*found : nullptr;
  }
};

}  // namespace almanac
