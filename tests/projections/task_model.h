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
  std::set<std::uint64_t> waits_for;   // what has not succeeded
  std::optional<std::uint64_t> blame;  // one of them never will
  std::set<std::string> tags;
};

class TaskModel {
 public:
  std::map<std::uint64_t, ModelTask> tasks;
  std::map<std::string, std::uint64_t> keys;
  std::uint64_t ignored = 0;

  void tell(const RecordedEvent& recorded) {
    position_ = recorded.position.value;
    now_ = recorded.event.at;
    key_ = recorded.event.idempotency_key;
    bool legal = std::visit([&](const auto& body) { return happen(body); }, recorded.event.body);
    if (!legal) ++ignored;
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
  static bool depends(const ModelTask& task) {
    return task.state == TaskState::waiting || task.state == TaskState::held;
  }
  void move(ModelTask& task, TaskState to) {
    task.state = to;
    task.changed = position_;
    if (to != TaskState::running && to != TaskState::cancelling) task.lease = 0;
    if (ends_with(to)) task.ended_at = now_;
  }
  TaskState waiting_over(const ModelTask& task) const {
    return task.run_at > now_ ? TaskState::delayed : TaskState::ready;
  }
  void end_badly(TaskId id, ModelTask& task, TaskState to) {
    move(task, to);
    task.blame.reset();
    for (auto& [other, dependent] : tasks) {
      if (depends(dependent) && dependent.waits_for.contains(id.value)) dependent.blame = id.value;
    }
  }

  void end_well(TaskId id, ModelTask& task) {
    move(task, TaskState::succeeded);
    task.blame.reset();
    for (auto& [other, dependent] : tasks) {
      if (!depends(dependent)) continue;
      bool last = dependent.waits_for.erase(id.value) > 0 && dependent.waits_for.empty();
      if (last && dependent.state == TaskState::waiting) move(dependent, waiting_over(dependent));
    }
  }

  bool happen(const TaskEnqueued& event) {
    if (!event.id || tasks.contains(event.id.value)) return false;
    ModelTask task{.kind = std::string(event.kind),
                   .queue = std::string(event.queue),
                   .priority = event.priority,
                   .run_at = event.run_at};
    for (TaskId id : event.dependencies) {
      auto found = tasks.find(id.value);
      if (found == tasks.end() || found->second.state == TaskState::succeeded) continue;
      task.waits_for.insert(id.value);
      if (ends_with(found->second.state)) task.blame = id.value;
    }
    for (std::size_t i = 0; i < event.tags.size(); ++i) task.tags.emplace(event.tags[i]);
    move(task, task.waits_for.empty() ? waiting_over(task) : TaskState::waiting);
    tasks[event.id.value] = task;
    if (!key_.empty()) keys[key_] = event.id.value;
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
    return true;
  }
  bool happen(const TaskSucceeded& event) {
    ModelTask* task = running(event.id, event.lease);
    if (task == nullptr) return false;
    end_well(event.id, *task);
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
    end_badly(event.id, *task, TaskState::failed);
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
    end_badly(event.id, *task, TaskState::cancelled);
    return true;
  }
  bool happen(const TaskHandedBack& event) {
    ModelTask* task = running(event.id, event.lease);
    if (task != nullptr) move(*task, TaskState::ready);
    return task != nullptr;
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
    move(*task, task->waits_for.empty() ? waiting_over(*task) : TaskState::waiting);
    return true;
  }
  bool happen(const TaskAccepted& event) {
    ModelTask* task = in(event.id, {TaskState::held});
    if (task != nullptr) end_well(event.id, *task);
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
  Time now_;
  std::optional<std::pair<Time, std::uint64_t>> reranked_;
  std::string key_;
};

}  // namespace almanac::test
