// The causal story of one task, derived from the events and the states between them: why it stood
// still, how long, and what it set off. Exact to the position.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>
#include <almanac/projections/wait_reason.h>
#include <almanac/snapshots/past_states.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// An event of the task, or a wait.
struct StoryStep {
  std::optional<WaitReason> wait;  // as it began; none = an event
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
// its last event, or the end. Errors: those of PastStates::at() and Log::read.
struct StoryOptions {
  const Log& log;
  const PastStates& past;  // of that log
  const State& state;
  TaskId id;
};
[[nodiscard]] Result<TaskStory> tell_story(const StoryOptions& options);

}  // namespace almanac
