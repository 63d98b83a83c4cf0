// The state at any position: folded from the log.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>

#include <functional>
#include <optional>

namespace almanac {

struct RebuildOptions {
  std::optional<Position> through;          // none = to the end of the log
  std::function<void(const State&)> visit;  // sees every state on the way; may be empty
  State start;                              // of this log, and not behind `through`
};

// O(events). Errors: not_found (the log ends before `through`), and those of Log::read.
[[nodiscard]] Result<State> rebuild(const Log& log, const RebuildOptions& options = {});

}  // namespace almanac
