// Statistics of tasks as programs read them.
#pragma once

#include <almanac/tools/task_stats.h>

#include <nlohmann/json.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace almanac {

// Of `count` in the time that was looked at.
[[nodiscard]] double events_per_hour(std::uint64_t count, const GatheredStats& gathered);
// "queue", "kind" or "owner". Errors: invalid.
[[nodiscard]] Result<StatsBy> stats_by_from(std::string_view text);
// From behind a position; none = from the beginning. Errors: those of Log::read.
[[nodiscard]] Result<GatheredStats> gather_stats_since(const Log& log, const State& state,
                                                       std::optional<Position> since, StatsBy by);
// Each group with its name, then all together: what `almanac stats --json` prints.
[[nodiscard]] std::vector<nlohmann::ordered_json> stats_rows_json(StatsBy by,
                                                                  const GatheredStats& gathered);
// Of all or of one group.
[[nodiscard]] nlohmann::ordered_json stats_json(const TaskStats& stats,
                                                const GatheredStats& gathered);

}  // namespace almanac
