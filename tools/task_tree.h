// What led to a task and what it led to, task by task: the tree of `almanac why --tree`.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>
#include <almanac/snapshots/past_states.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// How one task caused what happened to another.
enum class CausalLink : std::uint8_t {
  enqueued,   // an event of it names it as the cause, or the beginning of its story
  unblocked,  // it succeeded, and was the last one the other waited for
  doomed,     // it ended without success, and the other waited for it
};
[[nodiscard]] std::string_view name(CausalLink link);

struct CausedTask {
  TaskId id;
  std::string label;
  TaskState state = TaskState::ready;
  CausalLink link = CausalLink::enqueued;
  Position at;  // of the event that did it
  std::vector<CausedTask> caused;
  bool is_repeated = false;  // what it caused stands elsewhere in the tree
  std::size_t left_out = 0;  // of what it caused, for lack of depth or room
};

// An event that led to the task's.
struct Cause {
  Position position;
  std::string type;
  TaskId task;  // that it is about; none when it is of something else
};

struct TaskTree {
  std::vector<Cause> causes;  // the first one first; the last one caused the task to be enqueued
  std::vector<CausedTask> caused;
  std::size_t left_out = 0;
};

// The tree of a task of the state, so many tasks deep. Folds what happened from the task on.
// Errors: those of PastStates::at() and Log::read.
struct TaskTreeOptions {
  const Log& log;
  const PastStates& past;  // of that log
  const State& state;
  TaskId id;
  static constexpr std::size_t depth_default = 8;
  std::size_t depth_max = depth_default;
};
[[nodiscard]] Result<TaskTree> grow_tree(const TaskTreeOptions& options);

}  // namespace almanac
