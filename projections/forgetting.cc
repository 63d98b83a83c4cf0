#include <almanac/projections/dependencies.h>

#include <algorithm>
#include <span>
#include <vector>

namespace almanac {
namespace {

bool is_among(std::span<const TaskId> rising, TaskId id) {
  return std::ranges::binary_search(rising, id);
}

// False when it may not go.
bool forget(Tasks& tasks, TaskId id) {
  const Task* task = tasks.all.find(id);
  if (task == nullptr || !has_ended(task->state) || is_needed(tasks, id)) return false;
  --tasks.counts[static_cast<std::size_t>(task->state)];
  tasks.all.erase(id);
  tasks.terms.erase(id);
  tasks.demands.erase(id);
  tasks.crashes.erase(id);
  tasks.unique.leave(id);
  tasks.unique.all.erase(id);
  tasks.groups.forget(id);
  return true;
}

// Tags in turn, each from task to task: what lies between two of them is skipped.
void forget_tags(Tasks& tasks, std::span<const TaskId> ids) {
  std::vector<TagKey> gone;
  for (auto entry = tasks.tagged.begin(); entry != tasks.tagged.end();) {
    const TagKey key = *entry;
    const auto next = std::ranges::lower_bound(ids, key.id);
    if (next == ids.end()) {
      entry = tasks.tagged.lower_bound(TagKey{NameId{key.tag.value + 1}, TaskId()});
    } else if (*next == key.id) {
      gone.push_back(key);
      ++entry;
    } else {
      entry = tasks.tagged.lower_bound(TagKey{key.tag, *next});
    }
  }
  for (const TagKey& key : gone) tasks.tagged.erase(key);
}

// Those that no longer depend on anything may still stand where they are waited for.
void forget_edges(PersistentSet<DependencyKey>& edges, std::span<const TaskId> ids) {
  std::vector<DependencyKey> gone;
  for (const DependencyKey& key : edges) {
    if (is_among(ids, key.dependency) || is_among(ids, key.dependent)) gone.push_back(key);
  }
  for (const DependencyKey& key : gone) edges.erase(key);
}

void forget_conditions(Tasks& tasks) {
  std::vector<DependencyKey> gone;
  for (const auto& [key, condition] : tasks.conditions) {
    if (!tasks.dependents.contains(key)) gone.push_back(key);
  }
  for (const DependencyKey& key : gone) tasks.conditions.erase(key);
}

}  // namespace

bool fold(Tasks& tasks, Names&, const EventPlace&, const TasksForgotten& event) {
  const Tasks before = tasks;
  for (TaskId id : event.ids) {
    if (forget(tasks, id)) continue;
    tasks = before;
    return false;
  }
  std::vector<TaskId> ids(event.ids.begin(), event.ids.end());
  std::ranges::sort(ids);
  forget_tags(tasks, ids);
  forget_edges(tasks.dependents, ids);
  forget_edges(tasks.needed_by, ids);
  forget_conditions(tasks);
  tasks.keys.erase_if([&](const KeyedTask& keyed) { return is_among(ids, keyed.id); });
  return !ids.empty();
}

}  // namespace almanac
