// What the end of a task means to the tasks that depend on it. Part of the fold of tasks.h: these
// change everything about dependents but their states.
#pragma once

#include <almanac/projections/tasks.h>

#include <vector>

namespace almanac {

// What an end is to a dependency with this condition.
enum class Verdict : std::uint8_t {
  met,
  never,    // it can no longer be met: the dependent is doomed
  pending,  // a re-drive may still meet it
};
[[nodiscard]] Verdict judge(DependencyCondition condition, TaskState ended);

// Whether what it depends on still matters to a task.
[[nodiscard]] inline bool depends(const Task& task) {
  return task.state == TaskState::waiting || task.state == TaskState::held;
}

// Of an edge in `tasks.dependents`.
[[nodiscard]] DependencyCondition condition_of(const Tasks& tasks, const DependencyKey& key);

// Counts what a new task has to wait for and enters it where it will be found again.
void add_dependencies(Tasks& tasks, const TaskEnqueued& event, Task& task);

// A task that waits, or is held, is told of something it waits for. Answers whether that was the
// last and it waits no more; its state is the caller's to change.
[[nodiscard]] bool hear(Tasks& tasks, TaskId dependent, Verdict verdict, TaskId culprit);

// Tells those that depend on `id` how it has ended. Answers the waiting ones that now wait for
// nothing more, by number.
[[nodiscard]] std::vector<TaskId> settle_dependents(Tasks& tasks, TaskId id, TaskState ended);

// Whether this task may not be forgotten: another one waits for it or is doomed by it and not
// cancelled yet, or is kept and keeps what it depends on, or its group needs it (group_ends.h).
// O(its dependents + doomed).
[[nodiscard]] bool is_needed(const Tasks& tasks, TaskId id);

// The failed tasks that a waiting one waits for, when it waits for nothing else: it goes on when
// they are re-driven. O(conditions).
[[nodiscard]] std::vector<TaskId> to_be_retried(const Tasks& tasks, TaskId id);

// Whether a task is yet to be cancelled because of how this one ended. O(doomed).
[[nodiscard]] bool dooms(const Tasks& tasks, TaskId id);

}  // namespace almanac
