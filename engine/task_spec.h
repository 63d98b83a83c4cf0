// What a task is asked to be: the shape in which work is submitted.
#pragma once

#include <almanac/log/event.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace almanac {

// Another task of the same submission, by its index there.
struct InBatch {
  std::size_t index = 0;
  bool operator==(const InBatch&) const = default;
};
using Dependency = std::variant<TaskId, InBatch>;

// So many units, or tokens, of a limit: all that a task asks for is taken at once when it starts,
// and units are held while it runs. A service is asked for alike: its circuit must let it begin.
struct TaskDemand {
  std::string limit;
  std::uint32_t units = 1;
  bool operator==(const TaskDemand&) const = default;
};

// A value; owns everything. Limits are in engine/limits.h and log/limits.h.
struct TaskSpec {
  std::string kind;  // which handler runs it
  std::string queue = "default";
  std::string label;               // what people call it; free text
  std::string payload;             // bytes for the handler
  std::int32_t priority = 0;       // larger runs first
  Time run_at = {};                // not before this time; not set = at once
  std::uint16_t attempts_max = 1;  // tries in all
  Backoff backoff = {};            // the wait between them
  Duration timeout{0};             // of one attempt; 0 = none
  RetryPolicy retry_policy = RetryPolicy::exponential_jitter;
  std::uint16_t crashes_max = crashes_max_default;  // with the last of them it has failed
  std::vector<Dependency> dependencies;             // it runs after all of these …
  // … have ended so; one for each of them, or none: all have succeeded.
  std::vector<DependencyCondition> conditions;
  // Limits that are set and services that have a circuit, each named once.
  std::vector<TaskDemand> demands;
  std::vector<std::string> tags;
  std::string owner;     // for whom it runs; empty = nobody in particular
  Time deadline = {};    // when it should have ended; not set = whenever
  Duration estimate{0};  // how long an attempt is thought to take; 0 = not known
  Time expires_at = {};  // when it is no longer begun; not set = never
  // Submitting the same key again answers the first task. With other content it is refused.
  std::string idempotency_key;
};

// One task of a submission that was accepted.
struct Submitted {
  TaskId id;
  bool existed = false;  // its idempotency key was known
};

}  // namespace almanac
