// A task as it is asked for over HTTP, written: what daemon/task_request.h reads.
#pragma once

#include <almanac/engine/task_spec.h>
#include <almanac/log/error.h>

#include <nlohmann/json_fwd.hpp>

namespace almanac {

struct TaskEnqueued;

// With the keys of workloads (docs/guides/workloads.md), only those that say something. What
// comes after tasks of the same submission cannot be said alone. Errors: those of decode_command().
[[nodiscard]] Result<nlohmann::ordered_json> task_request_json(const TaskSpec& task);
// What a schedule enqueues, from its definition.
[[nodiscard]] Result<nlohmann::ordered_json> task_request_json(const TaskEnqueued& task);

}  // namespace almanac
