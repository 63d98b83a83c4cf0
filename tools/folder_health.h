// How well what runs in a folder is, as far as its log and its disk tell.
#pragma once

#include <almanac/engine/health.h>
#include <almanac/tools/task_stats.h>

#include <almanac/log/log.h>
#include <almanac/projections/state.h>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <vector>

namespace almanac {

struct HealthOptions {
  const Log& log;
  const State& state;
  const std::filesystem::path& folder;
  Time now;  // not before the state
  Duration window;
  bool is_past = false;  // then neither the disk nor processes are looked at, which are of today
  FailureThresholds failures = {};
};

struct FolderHealth {
  Position position;
  Time from;
  Time to;
  Position before;                    // the last event in front of that time
  std::vector<HealthReason> reasons;  // the worst first
  GatheredStats kinds;                // of the window
  HealthRecord recorded;              // by the engine

  [[nodiscard]] Health health() const { return health_of(reasons); }
};

// Reads the log of the window twice. Errors: those of Log::read, position_at and size.
[[nodiscard]] Result<FolderHealth> assess(const HealthOptions& options);
[[nodiscard]] nlohmann::ordered_json health_json(const FolderHealth& health);

}  // namespace almanac
