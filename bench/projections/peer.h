// The fold once more over the containers others would take, changed in place: the same records, the
// same orders, the same answers. What a mutable scheduler does, without copies and without
// versions.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/event.h>
#include <almanac/projections/tasks.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace almanac::bench {

// What two folds of the same events must agree on.
struct Fingerprint {
  std::uint64_t tasks = 0;  // of numbers, states, leases and times of every task
  std::uint64_t ready = 0;  // of the ready tasks in their order
  std::uint64_t running = 0;
  std::uint64_t due = 0;
  std::uint64_t tagged = 0;
  std::uint64_t keys = 0;
  bool operator==(const Fingerprint&) const = default;

  static void add(std::uint64_t& sum, std::uint64_t number) {
    sum = (sum ^ number) * 0x9e3779b97f4a7c15U;
    sum ^= sum >> 29;
  }
  [[nodiscard]] static std::uint64_t of(std::uint64_t id, const Task& task) {
    std::uint64_t sum = id;
    for (std::uint64_t each :
         {std::uint64_t(task.state), std::uint64_t(task.attempts), task.lease.value,
          task.enqueued.value, task.changed.value, std::uint64_t{task.queue.value},
          std::uint64_t(task.started_at.time_since_epoch().count())}) {
      add(sum, each);
    }
    return sum;
  }
};

// `Family` names the containers: Map<K, V> (of numbers), Texts<V> (by text), Set<K> (in order).
template <class Family>
class PeerState {
 public:
  void fold(const RecordedEvent& recorded) {
    place_ = &recorded;
    std::visit([this](const auto& event) { happen(event); }, recorded.event.body);
  }

  [[nodiscard]] Fingerprint fingerprint() const {
    Fingerprint print;
    for (const auto& [id, task] : tasks_) print.tasks += Fingerprint::of(id, task);
    for (const auto& key : ready_) Fingerprint::add(print.ready, key.place.id.value);
    for (const auto& key : running_) Fingerprint::add(print.running, key.id.value);
    for (const auto& key : due_) Fingerprint::add(print.due, key.id.value);
    for (const auto& key : tagged_) Fingerprint::add(print.tagged, key.id.value);
    for (const auto& [key, keyed] : keys_) print.keys += keyed.id.value * key.size();
    return print;
  }

 private:
  NameId intern(std::string_view name) {
    const auto found = names_.find(name);
    if (found != names_.end()) return found->second;
    const NameId id{static_cast<std::uint32_t>(texts_.size())};
    names_.emplace(std::string(name), id);
    texts_.emplace_back(name);
    return id;
  }

  void happen(const TaskEnqueued& event) {
    const auto [entry, is_new] = tasks_.try_emplace(event.id.value);
    if (!is_new) return;
    Task& task = entry->second;
    task.attempts_max = event.attempts_max;
    task.kind = intern(event.kind);
    task.queue = intern(event.queue);
    task.priority = event.priority;
    task.enqueued_at = place_->event.at;
    task.run_at = event.run_at;
    task.timeout = event.timeout;
    task.backoff = event.backoff;
    task.enqueued = task.changed = place_->position;
    task.state = event.run_at > place_->event.at ? TaskState::delayed : TaskState::ready;
    ++counts_[static_cast<std::size_t>(task.state)];
    if (task.state == TaskState::ready) {
      ready_.insert(key_by_priority({task.queue, task.kind}, event.id, task));
    } else {
      due_.insert({task.run_at, event.id});
    }
    for (std::size_t i = 0; i < event.tags.size(); ++i) {
      tagged_.insert({intern(event.tags[i]), event.id});
    }
    const auto key = place_->event.idempotency_key;
    if (!key.empty()) keys_[std::string(key)] = {event.id, event.content_hash};
  }

  void happen(const TaskStarted& event) {
    Task* task = move(event.id, TaskStep::started, TaskState::running);
    if (task == nullptr) return;
    ready_.erase(key_by_priority({task->queue, task->kind}, event.id, *task));
    running_.insert({task->queue, event.id});
    task->attempts = event.attempt;
    task->started_at = place_->event.at;
    task->lease = Lease(place_->position.value);
  }

  void happen(const TaskSucceeded& event) {
    Task* task = move(event.id, TaskStep::succeeded, TaskState::succeeded);
    if (task == nullptr) return;
    running_.erase({task->queue, event.id});
    task->last_status = event.end.status;
    task->last_code = event.end.code;
    task->lease = Lease();
    task->ended_at = place_->event.at;
    const auto waiting = dependents_.lower_bound({event.id, TaskId()});
    ALMANAC_CHECK(waiting == dependents_.end());  // the mix has no dependencies
  }

  template <class Other>
  void happen(const Other&) {}

  Task* move(TaskId id, TaskStep step, TaskState to) {
    const auto found = tasks_.find(id.value);
    if (found == tasks_.end() || !allows(found->second.state, step, to)) return nullptr;
    Task& task = found->second;
    --counts_[static_cast<std::size_t>(task.state)];
    task.state = to;
    ++counts_[static_cast<std::size_t>(to)];
    task.changed = place_->position;
    return &task;
  }

  const RecordedEvent* place_ = nullptr;
  typename Family::template Map<std::uint64_t, Task> tasks_;
  typename Family::template Texts<NameId> names_;
  std::vector<std::string> texts_;
  typename Family::template Set<ReadyKey> ready_;
  typename Family::template Set<DueKey> due_;
  typename Family::template Set<RunningKey> running_;
  typename Family::template Set<TagKey> tagged_;
  typename Family::template Set<DependencyKey> dependents_;
  typename Family::template Texts<KeyedTask> keys_;
  std::array<std::uint64_t, task_state_count> counts_{};
};

}  // namespace almanac::bench
