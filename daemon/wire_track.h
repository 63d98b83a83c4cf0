// TRACK: how far jobs are that asked to be tracked (custom.track).
#pragma once

#include <almanac/daemon/wire_job.h>
#include <almanac/engine/engine.h>

#include <optional>
#include <string>
#include <string_view>

namespace almanac {

// What is not said stays as it was.
struct WireProgress {
  std::string jid;
  std::optional<double> fraction;  // 0 to 1
  std::optional<std::string> description;
  std::optional<Time> reserve_until;  // the reservation is to last until then
};
// All that was said of one job.
struct WireTold {
  double fraction = 0;
  std::string description;
  Time at;
  bool waits = false;  // is told to the engine when that keeps it again
};
// Of TRACK SET. Errors: invalid.
[[nodiscard]] Result<WireProgress> parse_wire_progress(std::string_view json);

// The last task of a jid that is tracked; none = there is none.
[[nodiscard]] std::optional<TaskId> find_tracked(const State& state, std::string_view jid);
// What the log has of it, also of an attempt that is over. Nothing where that is nothing, or lies
// thousands of events in front of the end.
[[nodiscard]] WireTold read_told(const Log& log, const State& state, TaskId id);
// The answer to TRACK GET; `told` where that is newer than the log. Reads the log.
[[nodiscard]] std::string wire_track_json(const Log& log, const State& state, std::string_view jid,
                                          const std::optional<WireTold>& told);

}  // namespace almanac
