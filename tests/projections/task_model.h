// The rules of tasks once more, written as simply as possible and without a look at the fold:
// plain maps and lists, everything that can be worked out is worked out when it is asked for.
#pragma once

#include <almanac/log/event.h>
#include <almanac/projections/state.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {

struct ModelTask {
  TaskState state = TaskState::ready;
  std::string kind;
  std::string queue;
  std::int32_t priority = 0;
  Time run_at;
  Time ended_at;
  std::uint32_t attempts = 0;
  std::uint32_t failures = 0;
  std::uint64_t lease = 0;
  std::uint64_t changed = 0;
  std::uint32_t crashes = 0;
  std::optional<std::uint16_t> permille;
  std::string run_by;
  std::string worker;
  // What it depends on, as far as that may still become what it waits for, and the rest.
  std::map<std::uint64_t, DependencyCondition> waits_for;
  std::set<std::uint64_t> waits_in_vain;
  std::optional<std::uint64_t> blame;  // the last of those
  std::set<std::uint64_t> keeps;       // other tasks, as long as it is kept
  std::set<std::string> tags;
  TaskIdentity identity;
  std::uint32_t version = 0;
  std::uint64_t group = 0;                                              // 0 = none
  std::optional<std::pair<std::uint64_t, DependencyCondition>> awaits;  // a group
};

struct ModelGroup {
  std::string name;
  bool is_open = true;
  std::optional<TaskState> outcome;  // when it was over last, unless it goes on again
};

class TaskModel {
 public:
  std::map<std::uint64_t, ModelTask> tasks;
  std::map<std::string, std::uint64_t> keys;
  std::set<std::pair<PauseScope, std::string>> paused;
  std::map<std::string, std::vector<std::string>> implementations;  // of kinds, in order
  std::map<std::string, VersionRange> versions;                     // of these
  std::set<std::pair<std::string, std::string>> left;               // kinds and implementations
  std::map<std::uint64_t, ModelGroup> groups;
  std::map<TaskIdentity, std::set<std::uint64_t>> known;  // tasks, by what they are unique by
  std::uint64_t ignored = 0;

  void tell(const RecordedEvent& recorded) {
    position_ = recorded.position.value;
    now_ = recorded.event.at;
    key_ = recorded.event.idempotency_key;
    bool legal = std::visit([&](const auto& body) { return happen(body); }, recorded.event.body);
    if (!legal) ++ignored;
    for (auto& [identity, ids] : known) ids = known_by(identity, ids);
  }

 private:
  ModelTask* in(TaskId id, std::initializer_list<TaskState> states) {
    auto found = tasks.find(id.value);
    if (found == tasks.end()) return nullptr;
    bool right = std::ranges::find(states, found->second.state) != states.end();
    return right ? &found->second : nullptr;
  }
  ModelTask* running(TaskId id, Lease lease) {
    ModelTask* task = in(id, {TaskState::running});
    return task != nullptr && task->lease == lease.value ? task : nullptr;
  }
  static bool ends_with(TaskState state) {
    return state == TaskState::succeeded || state == TaskState::failed ||
           state == TaskState::cancelled;
  }
  // Those that have not ended, and the last of these and of those that were known.
  std::set<std::uint64_t> known_by(const TaskIdentity& identity,
                                   std::set<std::uint64_t> known) const {
    std::erase_if(known, [&](std::uint64_t id) { return !tasks.contains(id); });
    std::set<std::uint64_t> live;
    for (const auto& [id, task] : tasks) {
      if (task.identity == identity && !ends_with(task.state)) live.insert(id);
    }
    known.insert(live.begin(), live.end());
    if (!known.empty()) live.insert(*known.rbegin());
    return live;
  }
  static bool depends(const ModelTask& task) {
    return task.state == TaskState::waiting || task.state == TaskState::held;
  }
  void move(ModelTask& task, TaskState to) {
    task.state = to;
    task.changed = position_;
    if (to != TaskState::running && to != TaskState::cancelling) {
      task.lease = 0;
      task.run_by.clear();
      task.worker.clear();
    }
    if (ends_with(to)) task.ended_at = now_;
  }
  TaskState waiting_over(const ModelTask& task) const {
    return task.run_at > now_ ? TaskState::delayed : TaskState::ready;
  }
  // Nothing: it may still come.
  static std::optional<bool> is_met(DependencyCondition condition, TaskState ended) {
    const bool succeeded = ended == TaskState::succeeded;
    const bool failed = ended == TaskState::failed;
    switch (condition) {
      case DependencyCondition::success: return succeeded;
      case DependencyCondition::success_in_the_end:
        return failed ? std::optional<bool>() : succeeded;
      case DependencyCondition::end: return true;
      case DependencyCondition::failure: return failed;
    }
    return {};
  }
  static void learn(ModelTask& dependent, std::uint64_t id, TaskState ended) {
    auto met = is_met(dependent.waits_for.at(id), ended);
    if (!met) return;
    dependent.waits_for.erase(id);
    if (*met) return;
    dependent.waits_in_vain.insert(id);
    dependent.blame = id;
  }
  static bool waits(const ModelTask& task) {
    return !task.waits_for.empty() || !task.waits_in_vain.empty() || task.awaits;
  }
  std::set<TaskState> states_in(std::uint64_t group) const {
    std::set<TaskState> states;
    for (const auto& [id, task] : tasks) {
      if (task.group == group) states.insert(task.state);
    }
    return states;
  }
  bool is_awaited(std::uint64_t group) const {
    return std::ranges::any_of(tasks, [&](const auto& entry) {
      return entry.second.awaits && entry.second.awaits->first == group;
    });
  }
  bool goes_on(std::uint64_t group) const {
    return !std::ranges::all_of(states_in(group), ends_with);
  }
  // If it is over, those that wait for it learn how.
  void settle(std::uint64_t id) {
    ModelGroup& group = groups.at(id);
    if (group.is_open || goes_on(id)) return;
    const auto states = states_in(id);
    group.outcome = states.contains(TaskState::failed)      ? TaskState::failed
                    : states.contains(TaskState::cancelled) ? TaskState::cancelled
                                                            : TaskState::succeeded;
    const auto culprit = std::ranges::find_if(tasks, [&](const auto& entry) {
      return entry.second.group == id && entry.second.state == *group.outcome;
    });
    for (auto& [number, task] : tasks) {
      if (!task.awaits || task.awaits->first != id) continue;
      const auto met = is_met(task.awaits->second, *group.outcome);
      if (!met || (!*met && culprit == tasks.end())) continue;
      task.awaits.reset();
      if (!*met) task.waits_in_vain.insert(culprit->first);
      if (!*met) task.blame = culprit->first;
      if (task.state == TaskState::waiting && !waits(task)) move(task, waiting_over(task));
    }
  }
  // One that is closed goes with the last of its tasks, and of those that wait for it.
  void forget_groups() {
    std::erase_if(groups, [&](const auto& entry) {
      return !entry.second.is_open && states_in(entry.first).empty() && !is_awaited(entry.first);
    });
  }
  void end(TaskId id, ModelTask& task, TaskState to) {
    move(task, to);
    task.blame.reset();
    task.permille.reset();
    for (auto& [other, dependent] : tasks) {
      if (!depends(dependent) || !dependent.waits_for.contains(id.value)) continue;
      learn(dependent, id.value, to);
      if (dependent.state == TaskState::waiting && !waits(dependent)) {
        move(dependent, waiting_over(dependent));
      }
    }
    task.awaits.reset();
    if (task.group > 0) settle(task.group);
    forget_groups();
  }
  bool is_blamed(std::uint64_t id) const {
    return std::ranges::any_of(tasks, [&](const auto& entry) { return entry.second.blame == id; });
  }
  bool is_needed(std::uint64_t id) const {
    const std::uint64_t group = tasks.at(id).group;
    if (group > 0 && (groups.at(group).is_open || goes_on(group) || is_awaited(group))) return true;
    return is_blamed(id) || std::ranges::any_of(tasks, [&](const auto& entry) {
             return entry.second.keeps.contains(id) ||
                    (depends(entry.second) && entry.second.waits_for.contains(id));
           });
  }

  bool happen(const TaskEnqueued& event) {
    if (!event.id || tasks.contains(event.id.value)) return false;
    ModelTask task{.kind = std::string(event.kind),
                   .queue = std::string(event.queue),
                   .priority = event.priority,
                   .run_at = event.run_at};
    for (std::size_t i = 0; i < event.dependencies.size(); ++i) {
      auto found = tasks.find(event.dependencies[i].value);
      if (found == tasks.end()) continue;
      if (event.keeps_dependencies) task.keeps.insert(found->first);
      task.waits_for.emplace(found->first, event.conditions.empty() ? DependencyCondition::success
                                                                    : event.conditions[i]);
      if (ends_with(found->second.state)) learn(task, found->first, found->second.state);
    }
    for (std::size_t i = 0; i < event.tags.size(); ++i) task.tags.emplace(event.tags[i]);
    task.identity = event.unique.identity;
    task.version = event.version;
    if (const auto own = groups.find(event.group.value); own != groups.end()) {
      task.group = own->second.is_open ? own->first : 0;
    }
    if (const auto awaited = groups.find(event.after_group.value); awaited != groups.end()) {
      const auto& outcome = awaited->second.outcome;
      const auto condition = event.after_group_condition;
      const bool is_over = outcome && is_met(condition, *outcome).value_or(false);
      if (!is_over) task.awaits = {awaited->first, condition};
    }
    move(task, waits(task) ? TaskState::waiting : waiting_over(task));
    tasks[event.id.value] = task;
    if (!key_.empty()) keys[key_] = event.id.value;
    if (event.unique) known[event.unique.identity];
    return true;
  }
  bool happen(const TaskReadied& event) {
    ModelTask* task = in(event.id, {TaskState::delayed});
    if (task != nullptr) move(*task, TaskState::ready);
    return task != nullptr;
  }
  bool happen(const TaskStarted& event) {
    ModelTask* task = in(event.id, {TaskState::ready});
    if (task == nullptr) return false;
    move(*task, TaskState::running);
    task->lease = position_;
    task->attempts = event.attempt;
    task->run_by = event.implementation;
    task->worker = event.worker;
    return true;
  }
  bool happen(const TaskFailedOver& event) {
    ModelTask* task = running(event.id, event.lease);
    if (task == nullptr) return false;
    move(*task, TaskState::running);
    task->lease = position_;
    task->run_by = event.to;
    return true;
  }
  bool happen(const TaskSucceeded& event) {
    ModelTask* task = running(event.id, event.lease);
    if (task == nullptr) return false;
    end(event.id, *task, TaskState::succeeded);
    return true;
  }
  bool happen(const TaskAttemptFailed& event) {
    ModelTask* task = running(event.id, event.lease);
    if (task == nullptr) return false;
    move(*task, TaskState::delayed);
    task->run_at = event.retry_at;
    ++task->failures;
    return true;
  }
  bool happen(const TaskFailed& event) {
    ModelTask* task = running(event.id, event.lease);
    if (task == nullptr) return false;
    ++task->failures;
    if (event.crashes > 0) task->crashes = event.crashes;
    end(event.id, *task, TaskState::failed);
    return true;
  }
  bool happen(const TaskCancelRequested& event) {
    ModelTask* task = in(event.id, {TaskState::running});
    if (task != nullptr) move(*task, TaskState::cancelling);
    return task != nullptr;
  }
  bool happen(const TaskCancelled& event) {
    ModelTask* task = in(event.id, {TaskState::waiting, TaskState::delayed, TaskState::ready,
                                    TaskState::cancelling, TaskState::held});
    if (task == nullptr || (event.lease && event.lease.value != task->lease)) return false;
    end(event.id, *task, TaskState::cancelled);
    return true;
  }
  bool happen(const TaskHandedBack& event) {
    ModelTask* task = running(event.id, event.lease);
    if (task == nullptr) return false;
    move(*task, TaskState::ready);
    if (event.crashes > 0) task->crashes = event.crashes;
    return true;
  }
  bool happen(const TaskSnoozed& event) {
    ModelTask* task = running(event.id, event.lease);
    if (task == nullptr) return false;
    move(*task, TaskState::delayed);
    task->run_at = event.until;
    return true;
  }
  bool happen(const TaskProgressed& event) {
    ModelTask* task = in(event.id, {TaskState::running, TaskState::cancelling});
    if (task == nullptr || task->lease != event.lease.value) return false;
    task->permille = event.permille;
    return true;
  }
  bool happen(const TaskRedriven& event) {
    ModelTask* task = in(event.id, {TaskState::failed});
    if (task == nullptr || is_blamed(event.id.value)) return false;
    move(*task, TaskState::ready);
    task->failures = 0;
    task->crashes = 0;
    task->ended_at = Time();
    if (task->group > 0) groups.at(task->group).outcome.reset();
    return true;
  }
  bool happen(const TaskRequestCarried& event) {
    auto found = tasks.find(event.request.id.value);
    if (found == tasks.end()) return false;
    ModelTask& task = found->second;
    if (!ends_with(task.state)) task.changed = position_;
    return !ends_with(task.state) || task.state == TaskState::failed;
  }
  bool happen(const TaskResultCarried& event) {
    ModelTask* task = in(event.id, {TaskState::succeeded, TaskState::failed, TaskState::cancelled});
    if (task != nullptr) task->changed = position_;
    return task != nullptr;
  }
  bool happen(const TasksForgotten& event) {
    const TaskModel before = *this;
    for (TaskId id : event.ids) {
      auto found = tasks.find(id.value);
      if (found == tasks.end() || !ends_with(found->second.state) || is_needed(id.value)) {
        *this = before;
        return false;
      }
      tasks.erase(found);
      std::erase_if(keys, [&](const auto& entry) { return entry.second == id.value; });
    }
    forget_groups();
    return !event.ids.empty();
  }
  bool happen(const GroupOpened& event) {
    const auto has_name = [&](const auto& entry) { return entry.second.name == event.name; };
    if (event.id.value <= last_group_ || std::ranges::any_of(groups, has_name)) return false;
    last_group_ = event.id.value;
    groups[last_group_].name = event.name;
    return true;
  }
  bool happen(const GroupClosed& event) {
    const auto found = groups.find(event.id.value);
    if (found == groups.end() || !found->second.is_open) return false;
    found->second.is_open = false;
    settle(event.id.value);
    forget_groups();
    return true;
  }
  bool happen(const WorkPaused& event) {
    return paused.emplace(event.scope, std::string(event.name)).second;
  }
  bool happen(const WorkResumed& event) {
    return paused.erase({event.scope, std::string(event.name)}) > 0;
  }
  bool happen(const ImplementationsSet& event) {
    const std::string kind(event.kind);
    versions[kind] = event.versions;
    auto& names = implementations[kind];
    names.clear();
    for (std::size_t i = 0; i < event.implementations.size(); ++i) {
      names.emplace_back(event.implementations[i].name);
    }
    std::erase_if(left, [&](const auto& one) {
      return one.first == kind && std::ranges::find(names, one.second) == names.end();
    });
    return true;
  }
  bool happen(const EngineStarted&) {
    versions.clear();
    return true;
  }
  bool happen(const ImplementationLeft& event) {
    const std::string kind(event.kind);
    const std::string name(event.implementation);
    const auto& names = implementations[kind];
    return std::ranges::find(names, name) != names.end() && left.emplace(kind, name).second;
  }
  bool happen(const ImplementationReturned& event) {
    return left.erase({std::string(event.kind), std::string(event.implementation)}) > 0;
  }
  bool happen(const TaskHeld& event) {
    ModelTask* task = in(event.id, {TaskState::waiting, TaskState::delayed, TaskState::ready,
                                    TaskState::running, TaskState::held});
    if (task == nullptr || event.lease.value != task->lease) return false;
    move(*task, TaskState::held);
    return true;
  }
  bool happen(const TaskReleased& event) {
    ModelTask* task = in(event.id, {TaskState::held});
    if (task == nullptr) return false;
    move(*task, waits(*task) ? TaskState::waiting : waiting_over(*task));
    return true;
  }
  bool happen(const TaskAccepted& event) {
    ModelTask* task = in(event.id, {TaskState::held});
    if (task != nullptr) end(event.id, *task, TaskState::succeeded);
    return task != nullptr;
  }
  // It leads on, or means nothing. What it does to the order is for ranking_test.cc to tell.
  bool happen(const TasksReranked& event) {
    const std::pair through(event.through, event.last.value - 1);  // none is behind all
    const bool leads_on = !reranked_ || *reranked_ < through;
    if (leads_on) reranked_ = through;
    return leads_on;
  }
  template <class OtherEvent>
  bool happen(const OtherEvent&) {
    return true;
  }

  std::uint64_t position_ = 0;
  std::uint64_t last_group_ = 0;
  Time now_;
  std::optional<std::pair<Time, std::uint64_t>> reranked_;
  std::string key_;
};

}  // namespace almanac::test
