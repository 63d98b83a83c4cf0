// The causal story of one task, derived from the events and the states between them: why it stood
// still, how long, and what it set off. Exact to the position.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// Why a task does not run.
enum class Wait : std::uint8_t {
  dependency,   // a task it depends on has not succeeded
  doomed,       // … and never will
  delay,        // its time has not come
  engine,       // no engine runs
  queue_limit,  // its queue runs as many as it may
  slots,        // the engine runs as many as it may
  behind,       // others of its queue and kind stand before it
  next,         // nothing: it starts as soon as the engine gets to it
  review,       // somebody has to decide whether it runs
  paused,       // it, its queue or its kind is, until it is resumed
  retry,        // a task it depends on has failed, and somebody has to retry that
};
[[nodiscard]] std::string_view name(Wait wait);

struct WaitReason {
  Wait wait = Wait::next;
  std::string sentence;  // printable
};
// Why the task does not run in this state; none when it runs or has ended. Pure. O(tasks running in
// its queue).
[[nodiscard]] std::optional<WaitReason> wait_reason(const State& state, TaskId id);

// An event of the task, or a wait.
struct StoryStep {
  std::optional<Wait> wait;  // none = an event
  Position since;
  Time from;
  std::optional<Position> until;  // of a wait that is over: the position that ended it
  std::optional<Time> to;
  std::string sentence;
};

struct TaskStory {
  TaskId id;
  std::string label;
  TaskState state = TaskState::ready;
  Position causation;  // the event that caused it to be enqueued; none when that was not said
  std::vector<StoryStep> steps;
  std::vector<TaskId> dependencies;
  std::vector<TaskId> unblocked;  // made ready or delayed by its end
  std::vector<TaskId> doomed;     // will never run because of its end
};

// The story of `task` as of `state`, which must hold it. Folds what happened between its first and
// its last event, or the end. Errors: those of find_state() and Log::read.
struct StoryOptions {
  const Log& log;
  const std::filesystem::path& folder;
  const State& state;
  TaskId id;
};
[[nodiscard]] Result<TaskStory> tell_story(const StoryOptions& options);

}  // namespace almanac
