// What groups are to tasks, as dependencies.h is about tasks among each other: which of them waits
// for a group, and what the end of one means to those. Part of the fold of tasks.h; these change
// everything about tasks but their states.
#pragma once

#include <almanac/projections/tasks.h>

#include <cstdint>
#include <vector>

namespace almanac {

// Enters a new task in the group it belongs to, and counts the one it has to wait for.
void enter_groups(Tasks& tasks, const TaskEnqueued& event, Task& task);

// The task has ended. Answers those that now wait for nothing more, by number. Where its group is
// over: O(members and those that wait for it).
[[nodiscard]] std::vector<TaskId> end_in_group(Tasks& tasks, TaskId id);
// The same when a group was closed.
[[nodiscard]] std::vector<TaskId> close_group(Tasks& tasks, GroupId group, Time at);

// Whether its group needs a member that has ended: more may come, others go on, or somebody waits
// for all of them. O(log n).
[[nodiscard]] bool is_needed_by_group(const Tasks& tasks, TaskId id);

// Whether somebody is yet to be cancelled because of how a member of its group has ended, and tells
// of the group until then. O(doomed).
[[nodiscard]] bool is_group_to_blame(const Tasks& tasks, TaskId id);

// How far the members of a group are that are kept. O(their number).
struct GroupCounts {
  std::uint64_t members = 0;
  std::uint64_t live = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  [[nodiscard]] std::uint64_t ended() const { return members - live; }
};
[[nodiscard]] GroupCounts counts_of(const Tasks& tasks, GroupId group);

}  // namespace almanac
