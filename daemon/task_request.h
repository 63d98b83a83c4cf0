// A task as it is asked for over HTTP: the keys of a workload's tasks (docs/guides/workloads.md),
// and beside them what tasks of other kinds than commands need.
#pragma once

#include <almanac/engine/task_spec.h>
#include <almanac/log/error.h>

#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// One object, which may go over several lines. Errors: invalid.
[[nodiscard]] Result<TaskSpec> read_task_request(std::string_view json, Time now);
// JSON Lines: all of them or none. A task may come after others of the same request by their names.
// Errors: invalid, with the line.
[[nodiscard]] Result<std::vector<TaskSpec>> read_task_requests(std::string_view lines, Time now);

// What a schedule enqueues: one object on one line, without times, order, key and uniqueness.
// Errors: invalid.
[[nodiscard]] Result<TaskSpec> read_scheduled_task(std::string_view json);

// Of an Idempotency-Key without a text: who sends one believes that the request is safe to repeat.
[[nodiscard]] Error empty_key();
// Every task its own key, from that of the request.
void add_idempotency_keys(std::vector<TaskSpec>& tasks, const std::string& key);

}  // namespace almanac
