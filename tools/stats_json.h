// Statistics of tasks as programs read them.
#pragma once

#include <almanac/tools/task_stats.h>

#include <nlohmann/json.hpp>

namespace almanac {

// Of `count` in the time that was looked at.
[[nodiscard]] double events_per_hour(std::uint64_t count, const GatheredStats& gathered);
// Of all or of one group.
[[nodiscard]] nlohmann::ordered_json stats_json(const TaskStats& stats,
                                                const GatheredStats& gathered);

}  // namespace almanac
