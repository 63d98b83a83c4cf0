#include <almanac/projections/group_ends.h>

#include <almanac/projections/dependencies.h>

#include <algorithm>

namespace almanac {
namespace {

TaskState outcome_of(const GroupCounts& counts) {
  if (counts.failed > 0) return TaskState::failed;
  return counts.cancelled > 0 ? TaskState::cancelled : TaskState::succeeded;
}

// The first member that ended so; none when none did.
TaskId first_that(const Tasks& tasks, GroupId group, TaskState ended) {
  const auto members = tasks.groups.members_of(group);
  const auto found =
      std::ranges::find_if(members, [&](TaskId id) { return tasks.all.find(id)->state == ended; });
  return found == members.end() ? TaskId() : *found;
}

// Tells those that wait for a group that it is over, if it is.
std::vector<TaskId> settle(Tasks& tasks, GroupId group) {
  std::vector<TaskId> unblocked;
  Groups& groups = tasks.groups;
  if (groups.all.find(group)->is_open() || groups.has_live(group)) return unblocked;
  const TaskState outcome = outcome_of(counts_of(tasks, group));
  const TaskId culprit = first_that(tasks, group, outcome);
  groups.all.edit(group)->outcome = outcome;
  for (TaskId id : groups.waiting_for(group)) {
    const Verdict verdict = judge(groups.waits.find(id)->condition, outcome);
    if (verdict == Verdict::pending || (verdict == Verdict::never && !culprit)) continue;
    groups.stop_waiting(id);
    if (hear(tasks, id, verdict, culprit)) unblocked.push_back(id);
  }
  groups.erase_if_unused(group);
  return unblocked;
}

}  // namespace

void enter_groups(Tasks& tasks, const TaskEnqueued& event, Task& task) {
  Groups& groups = tasks.groups;
  const Group* own = groups.all.find(event.group);
  if (own != nullptr && own->is_open()) groups.join(event.id, event.group);
  const Group* awaited = groups.all.find(event.after_group);
  if (awaited == nullptr) return;
  const auto condition = event.after_group_condition;
  if (awaited->outcome && judge(condition, *awaited->outcome) == Verdict::met) return;
  groups.await(event.id, {event.after_group, condition});
  ++task.waiting_for;
}

std::vector<TaskId> end_in_group(Tasks& tasks, TaskId id) {
  Groups& groups = tasks.groups;
  groups.stop_waiting(id);
  const GroupId* group = groups.group_of.find(id);
  if (group == nullptr) return {};
  groups.live.erase(GroupTask{*group, id});
  return settle(tasks, *group);
}

std::vector<TaskId> close_group(Tasks& tasks, GroupId group, Time at) {
  tasks.groups.all.edit(group)->closed_at = at;
  return settle(tasks, group);
}

bool is_needed_by_group(const Tasks& tasks, TaskId id) {
  const GroupId* group = tasks.groups.group_of.find(id);
  if (group == nullptr) return false;
  return tasks.groups.all.find(*group)->is_open() || tasks.groups.has_live(*group) ||
         tasks.groups.is_awaited(*group);
}

bool is_group_to_blame(const Tasks& tasks, TaskId id) {
  const GroupId* group = tasks.groups.group_of.find(id);
  return group != nullptr && std::ranges::any_of(tasks.doomed, [&](const auto& entry) {
           const GroupId* culprits = tasks.groups.group_of.find(entry.value);
           return culprits != nullptr && *culprits == *group;
         });
}

GroupCounts counts_of(const Tasks& tasks, GroupId group) {
  GroupCounts counts;
  for (TaskId id : tasks.groups.members_of(group)) {
    const TaskState state = tasks.all.find(id)->state;
    ++counts.members;
    if (!has_ended(state)) ++counts.live;
    if (state == TaskState::succeeded) ++counts.succeeded;
    if (state == TaskState::failed) ++counts.failed;
    if (state == TaskState::cancelled) ++counts.cancelled;
  }
  return counts;
}

}  // namespace almanac
