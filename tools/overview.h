// How things stand at one moment, on one page: what `almanac top` shows and GET /v1/overview
// answers.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>
#include <almanac/tools/queue_tally.h>

#include <nlohmann/json_fwd.hpp>

namespace almanac {

struct OverviewOptions {
  const Log& log;
  const State& state;
  QueueTally& tally;
  Time now;  // not before the state; of the past that of the state
};

// {"position", "time", "now", "tasks", "live", "rates", "queues", "running", "ended", "circuits",
// "components", "gpus", "alerts", "health", "engine"}: times as RFC 3339, lists with a ceiling and
// the count of what they leave out. docs/guides/top.md describes it. Rates are of the last minute,
// five and sixty, counted by count_events(). Text may be no UTF-8. O(running tasks, queues,
// circuits, components, GPUs), and for each task that is named an event is read. Errors: those of
// Log::read.
[[nodiscard]] Result<nlohmann::ordered_json> overview_json(const OverviewOptions& options);

}  // namespace almanac
