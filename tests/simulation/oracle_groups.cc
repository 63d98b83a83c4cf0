// What the oracle knows of groups: who belongs to them, and when those that wait for one may begin.
#include <almanac/tests/simulation/oracle.h>

#include <algorithm>

namespace almanac::test {
void Oracle::check(const GroupOpened& event) {
  require(event.id == GroupId(groups_.size() + 1), "the numbers of groups are not dense");
  groups_[event.id] = {};
}

void Oracle::check(const GroupClosed& event) {
  require(groups_[event.id].is_open, "a group is closed twice");
  groups_[event.id].is_open = false;
  group_moves(event.id);
}

void Oracle::judge_groups(const TaskEnqueued& event, Record& task) {
  if (event.group) {
    require(groups_.contains(event.group) && groups_[event.group].is_open,
            "a task joins a group that is not open");
    task.group = event.group;
    groups_[event.group].members.insert(event.id);
  }
  if (!event.after_group) return;
  require(groups_.contains(event.after_group), "a task waits for a group that there is not");
  task.after_group = {event.after_group, {event.after_group_condition}};
  await_group(task);
}

// None while it is open or one of its tasks goes on.
std::optional<TaskState> Oracle::outcome_of(GroupId group) const {
  const auto& [is_open, members] = groups_.at(group);
  if (is_open) return std::nullopt;
  const auto any = [&](std::optional<TaskState> how) {
    return std::ranges::any_of(members, [&](TaskId id) { return tasks_.at(id).ended == how; });
  };
  if (any(std::nullopt)) return std::nullopt;
  if (any(TaskState::failed)) return TaskState::failed;
  return any(TaskState::cancelled) ? TaskState::cancelled : TaskState::succeeded;
}

// As with a dependency: once it was over as it must be, that counts for good.
void Oracle::await_group(Record& task) const {
  if (!task.after_group) return;
  auto& [group, awaited] = *task.after_group;
  const auto outcome = outcome_of(group);
  const bool is_any = awaited.condition == DependencyCondition::end;
  awaited.met = awaited.met || (outcome && (is_any || *outcome == TaskState::succeeded));
}

void Oracle::group_moves(GroupId group) {
  for (auto& [id, task] : tasks_) {
    if (task.after_group && task.after_group->group == group) await_group(task);
  }
}

bool Oracle::waits_for_group(const Record& task) const {
  return task.after_group && !task.after_group->awaited.met;
}

// Because of a member that did not succeed, and cannot any more where that would still do.
bool Oracle::is_doomed_by_group(const Record& task, const Record& culprit) const {
  if (!waits_for_group(task) || culprit.group != task.after_group->group) return false;
  const auto condition = task.after_group->awaited.condition;
  if (condition == DependencyCondition::end || !culprit.ended) return false;
  return culprit.ended == TaskState::cancelled ||
         (condition == DependencyCondition::success && culprit.ended == TaskState::failed);
}

// Of a member: its group is over, and nobody waits for it.
void Oracle::judge_forgotten_member(const Record& task) const {
  if (!task.group) return;
  require(outcome_of(task.group).has_value(), "a task is forgotten and its group goes on");
  for (const auto& [id, other] : tasks_) {
    require(other.ended || !waits_for_group(other) || other.after_group->group != task.group,
            "a task is forgotten and somebody waits for its group");
  }
}

}  // namespace almanac::test
