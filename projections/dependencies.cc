#include <almanac/projections/dependencies.h>

#include <almanac/projections/group_ends.h>

#include <algorithm>

namespace almanac {
namespace {

Verdict met_if(bool met) { return met ? Verdict::met : Verdict::never; }

template <class Visit>
void for_each_dependent(const PersistentSet<DependencyKey>& edges, TaskId id, Visit visit) {
  for (auto entry = edges.lower_bound({id, TaskId()});
       entry != edges.end() && (*entry).dependency == id; ++entry) {
    visit(*entry);
  }
}

const Task* find_depending(const Tasks& tasks, TaskId id) {
  const Task* task = tasks.all.find(id);
  return task != nullptr && depends(*task) ? task : nullptr;
}

void take_edge(Tasks& tasks, const DependencyKey& key) {
  tasks.dependents.erase(key);
  if (!tasks.conditions.empty()) tasks.conditions.erase(key);
}

}  // namespace

Verdict judge(DependencyCondition condition, TaskState ended) {
  switch (condition) {
    case DependencyCondition::success: return met_if(ended == TaskState::succeeded);
    case DependencyCondition::success_in_the_end:
      return ended == TaskState::failed ? Verdict::pending : met_if(ended == TaskState::succeeded);
    case DependencyCondition::end: return Verdict::met;
    case DependencyCondition::failure: return met_if(ended == TaskState::failed);
  }
  return Verdict::never;
}

DependencyCondition condition_of(const Tasks& tasks, const DependencyKey& key) {
  if (tasks.conditions.empty()) return DependencyCondition::success;
  const DependencyCondition* condition = tasks.conditions.find(key);
  return condition == nullptr ? DependencyCondition::success : *condition;
}

void add_dependencies(Tasks& tasks, const TaskEnqueued& event, Task& task) {
  for (std::size_t i = 0; i < event.dependencies.size(); ++i) {
    const DependencyKey key{event.dependencies[i], event.id};
    const auto condition =
        event.conditions.empty() ? DependencyCondition::success : event.conditions[i];
    const Task* other = tasks.all.find(key.dependency);
    if (other == nullptr) continue;
    if (event.keeps_dependencies) tasks.needed_by.insert(key);
    const auto verdict =
        has_ended(other->state) ? judge(condition, other->state) : Verdict::pending;
    if (verdict == Verdict::met) continue;
    if (verdict == Verdict::never) {
      tasks.doomed.set(event.id, key.dependency);
    } else if (!tasks.dependents.insert(key)) {
      continue;  // named twice
    } else if (condition != DependencyCondition::success) {
      tasks.conditions.set(key, condition);
    }
    ++task.waiting_for;
  }
}

bool hear(Tasks& tasks, TaskId dependent, Verdict verdict, TaskId culprit) {
  const Task& task = *tasks.all.find(dependent);
  if (verdict == Verdict::never) {
    tasks.doomed.set(dependent, culprit);
  } else if (task.state == TaskState::waiting && task.waiting_for == 1) {
    return true;
  } else {
    --tasks.all.edit(dependent)->waiting_for;
  }
  return false;
}

std::vector<TaskId> settle_dependents(Tasks& tasks, TaskId id, TaskState ended) {
  std::vector<TaskId> unblocked;
  if (tasks.dependents.empty()) return unblocked;
  std::vector<DependencyKey> edges;
  for_each_dependent(tasks.dependents, id, [&](const DependencyKey& key) { edges.push_back(key); });
  for (const DependencyKey& key : edges) {
    const Task* task = find_depending(tasks, key.dependent);
    const auto verdict = judge(condition_of(tasks, key), ended);
    if (task != nullptr && verdict == Verdict::pending) continue;
    take_edge(tasks, key);
    if (task != nullptr && hear(tasks, key.dependent, verdict, id)) {
      unblocked.push_back(key.dependent);
    }
  }
  return unblocked;
}

bool is_needed(const Tasks& tasks, TaskId id) {
  bool needed = dooms(tasks, id) || is_needed_by_group(tasks, id);
  for_each_dependent(tasks.dependents, id, [&](const DependencyKey& key) {
    needed = needed || find_depending(tasks, key.dependent) != nullptr;
  });
  for_each_dependent(tasks.needed_by, id, [&](const DependencyKey& key) {
    needed = needed || tasks.all.contains(key.dependent);
  });
  return needed;
}

std::vector<TaskId> to_be_retried(const Tasks& tasks, TaskId id) {
  std::vector<TaskId> failed;
  for (const auto& [key, condition] : tasks.conditions) {
    if (key.dependent != id) continue;
    const Task* task = tasks.all.find(key.dependency);
    if (task != nullptr && task->state == TaskState::failed) failed.push_back(key.dependency);
  }
  const Task* task = tasks.all.find(id);
  if (task == nullptr || failed.size() < task->waiting_for) failed.clear();
  return failed;
}

bool dooms(const Tasks& tasks, TaskId id) {
  return std::ranges::any_of(tasks.doomed, [&](const auto& entry) { return entry.value == id; });
}

}  // namespace almanac
