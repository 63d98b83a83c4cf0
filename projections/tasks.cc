#include <almanac/projections/tasks.h>

#include <almanac/projections/dependencies.h>

#include <almanac/log/error.h>

#include <algorithm>

namespace almanac {
namespace {

bool may_begin(TaskState state) {
  return state == TaskState::waiting || state == TaskState::delayed || state == TaskState::ready;
}

// Of a task that may begin until then; not set = as long as it likes.
Time expiry(const Tasks& tasks, TaskId id, const Task& task) {
  if (tasks.terms.empty() || !may_begin(task.state)) return {};
  const TaskTerms* terms = tasks.terms.find(id);
  return terms == nullptr ? Time() : terms->expires_at;
}

// The secondary orders follow from a task's fields and terms: a task leaves the orders of the state
// it was in before it changes and enters those of the state it is in afterwards, here and nowhere
// else. They are the same for two states that hold a lease, so that nothing moves between those.
void leave_order(Tasks& tasks, TaskId id, const Task& task) {
  if (const Time at = expiry(tasks, id, task); at != Time()) tasks.expiring.erase(DueKey{at, id});
  if (task.state == TaskState::ready) {
    tasks.ready.erase(ready_key(id, task));
  } else if (task.state == TaskState::delayed) {
    tasks.due.erase(DueKey{task.run_at, id});
  } else if (holds_lease(task.state)) {
    tasks.running.erase(RunningKey{task.queue, id});
  }
}

void enter_order(Tasks& tasks, TaskId id, const Task& task) {
  if (const Time at = expiry(tasks, id, task); at != Time()) tasks.expiring.insert({at, id});
  if (task.state == TaskState::ready) {
    tasks.ready.insert(ready_key(id, task));
  } else if (task.state == TaskState::delayed) {
    tasks.due.insert({task.run_at, id});
  } else if (holds_lease(task.state)) {
    tasks.running.insert({task.queue, id});
  }
}

std::uint64_t& count_of(Tasks& tasks, TaskState state) {
  return tasks.counts[static_cast<std::size_t>(state)];
}

// One row of the lifecycle, and the lease the event must come with when it says one.
struct Move {
  TaskId id;
  TaskStep step;
  TaskState to;
  std::optional<Lease> lease = {};
};

// Whether the event speaks of the attempt that runs.
bool holds(const Task& task, std::optional<Lease> lease) {
  return !lease || (*lease && task.lease == *lease);
}

// Moves a task along a row. `change` sets the fields that belong to the step. An event that is
// ignored may cost the copy of a node, and nothing else.
template <class Change>
bool step(Tasks& tasks, const EventPlace& place, const Move& move, Change change) {
  Task* found = tasks.all.edit(move.id);
  if (found == nullptr || !holds(*found, move.lease)) return false;
  Task& task = *found;
  if (!allows(task.state, move.step, move.to)) return false;
  const bool keeps_order = holds_lease(task.state) && holds_lease(move.to);
  if (!keeps_order) leave_order(tasks, move.id, task);
  --count_of(tasks, task.state);
  task.state = move.to;
  task.changed = place.position;
  change(task);
  if (!holds_lease(move.to)) task.lease = Lease();
  if (has_ended(move.to)) task.ended_at = place.at;
  if (!keeps_order) enter_order(tasks, move.id, task);
  ++count_of(tasks, move.to);
  return true;
}

TaskState state_at(Time run_at, Time now) {
  return run_at > now ? TaskState::delayed : TaskState::ready;
}

// What is kept of live tasks alone goes, and those that depend on it learn how it ended.
void end(Tasks& tasks, const EventPlace& place, TaskId id, TaskState ended) {
  if (!tasks.held.empty()) tasks.held.erase(id);
  if (!tasks.doomed.empty()) tasks.doomed.erase(id);
  if (!tasks.progress.empty()) tasks.progress.erase(id);
  for (TaskId dependent : settle_dependents(tasks, id, ended)) {
    const Time run_at = tasks.all.find(dependent)->run_at;
    step(tasks, place, {dependent, TaskStep::unblocked, state_at(run_at, place.at)},
         [](Task& unblocked) { unblocked.waiting_for = 0; });
  }
}

void set_last(Task& task, const AttemptEnd& end) {
  task.last_status = end.status;
  task.last_code = end.code;
}

void hash_task(StateHasher& hasher, TaskId id, const Task& task) {
  hasher.numbers(std::array{id.value,
                            std::uint64_t(task.state),
                            std::uint64_t(task.last_status),
                            std::uint64_t(task.attempts_max),
                            std::uint64_t(task.kind.value),
                            std::uint64_t(task.queue.value),
                            std::uint64_t(task.priority),
                            std::uint64_t(task.last_code),
                            std::uint64_t(task.attempts),
                            std::uint64_t(task.failures),
                            std::uint64_t(task.waiting_for),
                            std::uint64_t(task.enqueued_at.time_since_epoch().count()),
                            std::uint64_t(task.run_at.time_since_epoch().count()),
                            std::uint64_t(task.started_at.time_since_epoch().count()),
                            std::uint64_t(task.ended_at.time_since_epoch().count()),
                            std::uint64_t(task.timeout.count()),
                            std::uint64_t(task.backoff.initial.count()),
                            std::uint64_t(task.backoff.max.count()),
                            task.lease.value,
                            task.enqueued.value,
                            task.changed.value});
}

// Where none is held nothing is hashed, as before there was such a thing: digests are for ever.
void hash_held(StateHasher& hasher, const PersistentMap<TaskId, Hold>& held) {
  hasher.number(held.size());
  for (const auto& [id, hold] : held) {
    hasher.numbers(std::array{id.value, std::uint64_t(hold.reason), std::uint64_t(hold.outcome),
                              hold.started.value, hold.ended.value});
  }
}

// As for held tasks, with a number in front that tells one such part from another.
void hash_terms(StateHasher& hasher, const PersistentMap<TaskId, TaskTerms>& all) {
  constexpr std::uint64_t part = 0x7465726d73;  // "terms"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [id, terms] : all) {
    hasher.numbers(std::array{id.value, std::uint64_t{terms.owner.value},
                              std::uint64_t(terms.deadline.time_since_epoch().count()),
                              std::uint64_t(terms.estimate.count()),
                              std::uint64_t(terms.expires_at.time_since_epoch().count()),
                              std::uint64_t(terms.retry_policy), std::uint64_t{terms.crashes_max}});
  }
}

void hash_conditions(StateHasher& hasher,
                     const PersistentMap<DependencyKey, DependencyCondition>& all) {
  constexpr std::uint64_t part = 0x636f6e64;  // "cond"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [key, condition] : all) {
    hasher.numbers(std::array{key.dependency.value, key.dependent.value, std::uint64_t(condition)});
  }
}

void hash_needed_by(StateHasher& hasher, const PersistentSet<DependencyKey>& all) {
  constexpr std::uint64_t part = 0x6e656564;  // "need"
  hasher.number(part);
  hasher.number(all.size());
  for (const DependencyKey& key : all) {
    hasher.numbers(std::array{key.dependency.value, key.dependent.value});
  }
}

void hash_crashes(StateHasher& hasher, const PersistentMap<TaskId, std::uint32_t>& all) {
  constexpr std::uint64_t part = 0x6372617368;  // "crash"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [id, crashes] : all) {
    hasher.numbers(std::array{id.value, std::uint64_t{crashes}});
  }
}

void hash_progress(StateHasher& hasher, const PersistentMap<TaskId, TaskProgress>& all) {
  constexpr std::uint64_t part = 0x70726f67;  // "prog"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [id, progress] : all) {
    hasher.numbers(std::array{id.value, std::uint64_t{progress.permille},
                              std::uint64_t(progress.at.time_since_epoch().count()),
                              progress.told.value});
  }
}

bool has_terms(const TaskEnqueued& event) {
  return !event.owner.empty() || event.deadline != Time() || event.estimate != Duration(0) ||
         event.expires_at != Time() || event.retry_policy != RetryPolicy() ||
         event.crashes_max != 0;
}

}  // namespace

ReadyKey ready_key(TaskId id, const Task& task) {
  return {{task.queue, task.kind}, {-std::int64_t{task.priority}, id}};
}

std::uint64_t Tasks::live() const {
  return all.size() - count(TaskState::succeeded) - count(TaskState::failed) -
         count(TaskState::cancelled);
}

std::uint32_t Tasks::running_in(NameId queue) const {
  std::uint32_t leases = 0;
  for (auto entry = running.lower_bound({queue, TaskId()});
       entry != running.end() && (*entry).queue == queue; ++entry) {
    ++leases;
  }
  return leases;
}

std::optional<Time> Tasks::next_due() const {
  if (due.empty()) return std::nullopt;
  return (*due.begin()).at;
}

std::optional<Time> Tasks::next_expiry() const {
  if (expiring.empty()) return std::nullopt;
  return (*expiring.begin()).at;
}

void Tasks::hash_into(StateHasher& hasher) const {
  hasher.number(last.value);
  hasher.number(all.size());
  for (const auto& [id, task] : all) hash_task(hasher, id, task);
  hasher.number(tagged.size());
  for (const TagKey& key : tagged) {
    hasher.number(key.tag.value);
    hasher.number(key.id.value);
  }
  hasher.number(dependents.size());
  for (const DependencyKey& key : dependents) {
    hasher.number(key.dependency.value);
    hasher.number(key.dependent.value);
  }
  hasher.number(doomed.size());
  for (const auto& [dependent, culprit] : doomed) {
    hasher.number(dependent.value);
    hasher.number(culprit.value);
  }
  if (!held.empty()) hash_held(hasher, held);
  if (!terms.empty()) hash_terms(hasher, terms);
  if (!conditions.empty()) hash_conditions(hasher, conditions);
  if (!needed_by.empty()) hash_needed_by(hasher, needed_by);
  if (!crashes.empty()) hash_crashes(hasher, crashes);
  if (!progress.empty()) hash_progress(hasher, progress);
  keys.hash_into(hasher);
}

bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskEnqueued& event) {
  if (!event.id || tasks.all.contains(event.id)) return false;
  Task task{.attempts_max = event.attempts_max,
            .kind = names.intern(event.kind),
            .queue = names.intern(event.queue),
            .priority = event.priority,
            .enqueued_at = place.at,
            .run_at = event.run_at,
            .timeout = event.timeout,
            .backoff = event.backoff,
            .enqueued = place.position,
            .changed = place.position};
  if (has_terms(event)) {
    tasks.terms.set(event.id, {.owner = names.intern(event.owner),
                               .deadline = event.deadline,
                               .estimate = event.estimate,
                               .expires_at = event.expires_at,
                               .retry_policy = event.retry_policy,
                               .crashes_max = event.crashes_max});
  }
  add_dependencies(tasks, event, task);
  task.state = task.waiting_for > 0 ? TaskState::waiting : state_at(task.run_at, place.at);
  ALMANAC_CHECK(allows({}, TaskStep::enqueued, task.state));
  enter_order(tasks, event.id, task);
  ++count_of(tasks, task.state);
  tasks.all.set(event.id, task);
  tasks.last = std::max(tasks.last, event.id);
  for (std::size_t i = 0; i < event.tags.size(); ++i) {
    tasks.tagged.insert({names.intern(event.tags[i]), event.id});
  }
  if (!place.idempotency_key.empty()) {
    tasks.keys.set(place.idempotency_key, {event.id, event.content_hash});
  }
  return true;
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskReadied& event) {
  return step(tasks, place, {event.id, TaskStep::readied, TaskState::ready}, [](Task&) {});
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskStarted& event) {
  return step(tasks, place, {event.id, TaskStep::started, TaskState::running}, [&](Task& task) {
    task.attempts = event.attempt;
    task.started_at = place.at;
    task.lease = Lease(place.position.value);
  });
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskSucceeded& event) {
  const bool moved =
      step(tasks, place, {event.id, TaskStep::succeeded, TaskState::succeeded, event.lease},
           [&](Task& task) { set_last(task, event.end); });
  if (moved) end(tasks, place, event.id, TaskState::succeeded);
  return moved;
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskAttemptFailed& event) {
  return step(tasks, place, {event.id, TaskStep::attempt_failed, TaskState::delayed, event.lease},
              [&](Task& task) {
                ++task.failures;
                task.run_at = event.retry_at;
                set_last(task, event.end);
              });
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskFailed& event) {
  const bool moved = step(
      tasks, place, {event.id, TaskStep::failed, TaskState::failed, event.lease}, [&](Task& task) {
        ++task.failures;
        set_last(task, event.end);
      });
  if (moved && event.crashes > 0) tasks.crashes.set(event.id, event.crashes);
  if (moved) end(tasks, place, event.id, TaskState::failed);
  return moved;
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskCancelRequested& event) {
  return step(tasks, place, {event.id, TaskStep::cancel_requested, TaskState::cancelling},
              [](Task&) {});
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskCancelled& event) {
  const auto lease = event.lease ? std::optional(event.lease) : std::nullopt;
  const bool moved = step(
      tasks, place, {event.id, TaskStep::cancelled, TaskState::cancelled, lease}, [&](Task& task) {
        if (event.lease) set_last(task, event.end);
      });
  if (moved) end(tasks, place, event.id, TaskState::cancelled);
  return moved;
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskHandedBack& event) {
  const bool crashed = event.crashes > 0;
  const bool moved =
      step(tasks, place, {event.id, TaskStep::handed_back, TaskState::ready, event.lease},
           [&](Task& task) {
             if (crashed) set_last(task, event.end);
           });
  if (moved && crashed) tasks.crashes.set(event.id, event.crashes);
  return moved;
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskSnoozed& event) {
  return step(tasks, place, {event.id, TaskStep::snoozed, TaskState::delayed, event.lease},
              [&](Task& task) { task.run_at = event.until; });
}

// Changes no state of the task: what it tells stands beside it.
bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskProgressed& event) {
  const Task* task = tasks.all.find(event.id);
  if (task == nullptr || !event.lease || task->lease != event.lease) return false;
  tasks.progress.set(event.id,
                     {.permille = event.permille, .at = place.at, .told = place.position});
  return true;
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskRedriven& event) {
  if (dooms(tasks, event.id)) return false;
  const bool moved =
      step(tasks, place, {event.id, TaskStep::redriven, TaskState::ready}, [](Task& task) {
        task.failures = 0;
        task.ended_at = Time();
      });
  if (moved && !tasks.crashes.empty()) tasks.crashes.erase(event.id);
  return moved;
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskHeld& event) {
  const Task* task = tasks.all.find(event.id);
  if (task == nullptr || task->lease != event.lease) return false;
  const bool moved = step(tasks, place, {event.id, TaskStep::held, TaskState::held}, [](Task&) {});
  if (!moved) return false;
  tasks.held.set(event.id, {.reason = event.reason,
                            .outcome = event.outcome,
                            .started = event.started,
                            .ended = event.ended});
  return true;
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskReleased& event) {
  const Task* task = tasks.all.find(event.id);
  if (task == nullptr) return false;
  const TaskState to =
      task->waiting_for > 0 ? TaskState::waiting : state_at(task->run_at, place.at);
  const bool moved = step(tasks, place, {event.id, TaskStep::released, to}, [](Task&) {});
  if (moved) tasks.held.erase(event.id);
  return moved;
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskAccepted& event) {
  const bool moved =
      step(tasks, place, {event.id, TaskStep::accepted, TaskState::succeeded}, [](Task&) {});
  if (moved) end(tasks, place, event.id, TaskState::succeeded);
  return moved;
}

}  // namespace almanac
