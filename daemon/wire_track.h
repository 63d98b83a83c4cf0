// TRACK: how far jobs are that asked to be tracked (custom.track).
#pragma once

#include <almanac/daemon/wire_job.h>
#include <almanac/engine/engine.h>

#include <optional>
#include <string>
#include <string_view>

namespace almanac {

struct WireProgress {
  std::string jid;
  std::optional<double> fraction;  // 0 to 1
  std::string description;
  bool reserves = false;  // more time is asked for
};
// Of TRACK SET. Errors: invalid.
[[nodiscard]] Result<WireProgress> parse_wire_progress(std::string_view json);

// The last task of a jid that is tracked; none = there is none.
[[nodiscard]] std::optional<TaskId> find_tracked(const State& state, std::string_view jid);
// The answer to TRACK GET. Reads the log.
[[nodiscard]] std::string wire_track_json(const Log& log, const State& state, std::string_view jid);

}  // namespace almanac
