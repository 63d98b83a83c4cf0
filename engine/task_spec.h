// What a task is asked to be: the shape in which work is submitted.
#pragma once

#include <almanac/log/event.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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

// Memory of one GPU, in bytes, for as long as an attempt runs; counted in whole MiB.
struct GpuMemorySpec {
  std::uint64_t bytes = 0;
  std::string gpu = {};  // its identity; empty = any
  bool operator==(const GpuMemorySpec&) const = default;
};

// What becomes of a submission that meets a task in its way.
enum class OnConflict : std::uint8_t {
  existing,  // that one is the answer, and nothing is enqueued
  skip,      // nothing is enqueued
  replace,   // that one is cancelled; where it runs, the new one begins when it has ended
  refuse,    // an error, for the whole submission
};
inline constexpr int on_conflict_count = 4;
[[nodiscard]] std::string_view name(OnConflict on_conflict);

// Of a task of which no second one is wanted. Tasks that are known by the same are the same work:
// those that have not ended and the last one are looked at, the newest first. One that has been
// told to stop is not in the way of a new one, which waits for its end.
struct UniqueSpec {
  std::string key = {};                    // what it is known by; empty = kind and payload
  bool per_queue = false;                  // in another queue it is other work
  UniqueUntil until = UniqueUntil::ended;  // how far one must be to be in its way no more
  Duration within{0};                      // and how long ago one must have been enqueued
  OnConflict on_conflict = OnConflict::existing;
  // One that was enqueued so long ago is in its way no more, however far it is; 0 = it is as long
  // as `until` says.
  Duration lasts{0};
  bool operator==(const UniqueSpec&) const = default;
};

// A task that comes after a group: once that is closed and all of its tasks have ended so. With
// success it is cancelled when one of them has not succeeded, with success_in_the_end when one was
// cancelled. There is no failure of a group.
struct AfterGroup {
  std::string group;
  DependencyCondition condition = DependencyCondition::success;
  bool operator==(const AfterGroup&) const = default;
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
  // Of its kind: it waits for an engine that runs this version (Engine::handle). 0 = whatever runs
  // the kind runs it.
  std::uint32_t version = 0;
  std::string group = {};                      // open, which it belongs to; empty = to none
  std::optional<AfterGroup> after_group = {};  // and one it waits for
  // None = there may be any number of it.
  std::optional<UniqueSpec> unique = {};
  // As a demand of the name that projections/gpu_memory.h gives it, which may stand there as well.
  std::optional<GpuMemorySpec> gpu_memory = {};
};

enum class SubmitOutcome : std::uint8_t {
  enqueued,
  same_key,  // its idempotency key was known
  existing,  // another task was in its way, which is the answer
  skipped,   // another task was in its way
};

// One task of a submission that was accepted.
struct Submitted {
  TaskId id;  // that was enqueued, or was there
  SubmitOutcome outcome = SubmitOutcome::enqueued;
  TaskId replaced = {};  // the newest that was cancelled for it; none = none was
  [[nodiscard]] bool existed() const { return outcome != SubmitOutcome::enqueued; }
};

}  // namespace almanac
