// How well things go as far as a state tells: circuits, backups, components, GPUs, advisors. What
// the log, the disk and processes tell beside it is for who looks at those (tools/folder_health.h).
#pragma once

#include <almanac/engine/health.h>
#include <almanac/projections/state.h>

#include <vector>

namespace almanac {

// O(circuits, jobs of backups, implementations of components, heaps of GPUs and advisors).
[[nodiscard]] std::vector<HealthReason> health_reasons(const State& state, Time now);

}  // namespace almanac
