// The state at any position: folded from the log.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>

#include <functional>
#include <optional>
#include <stop_token>

namespace almanac {

// `through`, which the log must reach, or where it ends now. Errors: not_found (the log ends before
// `through`), and those of Log::tail.
[[nodiscard]] Result<Position> last_position(const Log& log, std::optional<Position> through);

struct RebuildOptions {
  std::optional<Position> through = {};          // none = to the end of the log
  std::function<void(const State&)> visit = {};  // sees every state on the way; may be empty
  // Of this log, and not behind `through`. Moved in, it is changed in place; of a copy each part
  // that changes is copied first.
  State start = {};
  std::stop_token stop = {};
};

// O(events). Errors: those of last_position() and Log::read, and refused (what happened behind
// `start` was removed from the log), stopped.
[[nodiscard]] Result<State> rebuild(const Log& log, RebuildOptions options = {});

}  // namespace almanac
