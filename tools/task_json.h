// Tasks as programs read them: what `almanac list --json` and `almanac show --json` print, and what
// the daemon answers.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace almanac {

// What the state tells, and what it is called.
[[nodiscard]] nlohmann::ordered_json task_summary_json(const State& state, TaskId id,
                                                       const Task& task, std::string_view label);
// What a task is called, as it was given; empty when it was not, or when that part of the log has
// been removed. O(log n) and a page or two. Errors: those of Log::read_one.
[[nodiscard]] Result<std::string> task_label(const Log& log, const Task& task);
// All there is of a task of this state: its request, how it stands, how it ended. Three events are
// read. Errors: not_found (that part of the log was removed), those of Log::read_one.
[[nodiscard]] Result<nlohmann::ordered_json> task_detail_json(const Log& log, const State& state,
                                                              TaskId id);

}  // namespace almanac
