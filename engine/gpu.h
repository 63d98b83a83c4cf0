// Decisions about GPUs: what a look at them becomes. The same rules tell the watch what is worth
// telling.
#pragma once

#include <almanac/engine/decision.h>
#include <almanac/engine/gpu_options.h>

#include <functional>
#include <span>

namespace almanac {

// The level of a heap that had another one.
[[nodiscard]] GpuLevel level_after(GpuLevel before, const GpuMemory& memory,
                                   const GpuSetting& setting);
// What is used or may be used has changed by a step.
[[nodiscard]] bool differs(const GpuMemory& before, const GpuMemory& now,
                           const GpuSetting& setting);

// In this order for each device: it vanished, or appeared; a sample, when it is worth one; alerts,
// whose sample is the one in front of them. A device that is gone has no alerts.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ReportGpu& command,
                                          const DecideContext& context);

// What events tell programs; `after` is the state behind all of them.
void tell_gpu_changes(const State& after, std::span<const RecordedEvent> events,
                      const std::function<void(const GpuChange&)>& tell);

}  // namespace almanac
