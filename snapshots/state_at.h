// The state at any position of a log, by the shortest way there is to it.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>

#include <filesystem>
#include <optional>

namespace almanac {

// From the newest checkpoint that serves (checkpoints.h), or the first event. `folder` is the one
// the log was opened in; `through` none = to the end of the log. O(events on the way). Errors:
// not_found (the log ends before `through`), and those of Log::read.
[[nodiscard]] Result<State> state_at(const Log& log, const std::filesystem::path& folder,
                                     std::optional<Position> through = {});

}  // namespace almanac
