// The state at any position of a log, by the shortest way there is to it.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>
#include <almanac/snapshots/checkpoint.h>

#include <filesystem>
#include <optional>
#include <stop_token>
#include <vector>

namespace almanac {

// A state and the way to it.
struct ReachedState {
  State state;
  Position checkpoint;         // where folding began; none = in front of the first event
  std::vector<Error> refused;  // newer checkpoints that did not serve, and why
};

// From the newest checkpoint that serves (checkpoints.h), or the first event. `folder` is the one
// the log was opened in; `through` none = to the end of the log. O(events on the way). Errors:
// not_found (the log ends before `through`), refused (the log was trimmed, and no checkpoint
// serves), stopped, and those of Log::read.
[[nodiscard]] Result<ReachedState> reach_state(const Log& log, const std::filesystem::path& folder,
                                               std::optional<Position> through = {},
                                               std::stop_token stop = {},
                                               Loading loading = Loading::as_asked);
// The same, for who does not ask how.
[[nodiscard]] Result<State> state_at(const Log& log, const std::filesystem::path& folder,
                                     std::optional<Position> through = {},
                                     std::stop_token stop = {},
                                     Loading loading = Loading::as_asked);

// The first position of which there is a state: 0, or that of a checkpoint when the front of the
// log was removed. Looks at names of files, not into them. Errors: refused (there is none), and
// those of Log::base.
[[nodiscard]] Result<Position> first_state_position(const Log& log,
                                                    const std::filesystem::path& folder);

}  // namespace almanac
