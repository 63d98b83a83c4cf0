#include <almanac/projections/tasks.h>

#include <almanac/log/error.h>
#include <almanac/projections/dependencies.h>
#include <almanac/projections/gpu_memory.h>
#include <almanac/projections/group_ends.h>
#include <almanac/projections/resource_limits.h>

#include <algorithm>

namespace almanac {
namespace {

// What was said of a lane ends with its last task.
void forget_if_empty(Tasks& tasks, const Lane& lane) {
  if (tasks.blocked.empty() || tasks.ready.lanes().contains(lane)) return;
  tasks.blocked.erase(lane);
}

// The secondary orders follow from a task's fields and terms: a task leaves the orders of the state
// it was in before it changes and enters those of the state it is in afterwards, here and nowhere
// else. They are the same for two states that hold a lease, so that nothing moves between those.
void leave_order(Tasks& tasks, TaskId id, const Task& task, TaskState to) {
  if (const Time at = expiry(tasks, id, task); at != Time()) tasks.expiring.erase(DueKey{at, id});
  if (task.state == TaskState::ready) {
    const Lane lane = lane_of(tasks, id, task);
    if (tasks.ranking.policies.empty()) {
      tasks.ready.erase(key_by_priority(lane, id, task));
    } else {
      leave_ready(tasks, id, task,
                  to == TaskState::running ? Leaving::started : Leaving::otherwise);
    }
    forget_if_empty(tasks, lane);
  } else if (task.state == TaskState::delayed) {
    tasks.due.erase(DueKey{task.run_at, id});
  } else if (holds_lease(task.state)) {
    tasks.running.erase(RunningKey{task.queue, id});
    for (const LimitDemand& demand : tasks.demand_sets.of(tasks.demands_of(id))) {
      tasks.in_use.erase(LimitUse{demand.limit, id});
    }
    if (!tasks.run_by.empty()) tasks.run_by.erase(id);
    if (!tasks.remote.empty()) tasks.remote.erase(id);
    if (!tasks.on_gpu.empty()) tasks.on_gpu.erase(id);
  }
}

void enter_order(Tasks& tasks, TaskId id, const Task& task) {
  if (const Time at = expiry(tasks, id, task); at != Time()) tasks.expiring.insert({at, id});
  if (task.state == TaskState::ready) {
    if (tasks.ranking.policies.empty()) {
      tasks.ready.insert(key_by_priority(lane_of(tasks, id, task), id, task));
    } else {
      enter_ready(tasks, id, task);
    }
  } else if (task.state == TaskState::delayed) {
    tasks.due.insert({task.run_at, id});
  } else if (holds_lease(task.state)) {
    tasks.running.insert({task.queue, id});
    for (const LimitDemand& demand : tasks.demand_sets.of(tasks.demands_of(id))) {
      tasks.in_use.set({demand.limit, id}, demand.units);
    }
  }
}

std::uint64_t& count_of(Tasks& tasks, TaskState state) {
  return tasks.counts[static_cast<std::size_t>(state)];
}

// One row of the lifecycle, and the lease the event must come with when it says one.
struct TaskMove {
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
bool step(Tasks& tasks, const EventPlace& place, const TaskMove& move, Change change) {
  Task* found = tasks.all.edit(move.id);
  if (found == nullptr || !holds(*found, move.lease)) return false;
  Task& task = *found;
  if (!allows(task.state, move.step, move.to)) return false;
  const bool keeps_order = holds_lease(task.state) && holds_lease(move.to);
  if (!keeps_order) leave_order(tasks, move.id, task, move.to);
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

void set_demands(Tasks& tasks, TaskId id, std::vector<LimitDemand> demands) {
  const DemandsId set = tasks.demand_sets.intern(std::move(demands));
  if (set) {
    tasks.demands.set(id, set);
  } else {
    tasks.demands.erase(id);
  }
}

// What it has asked for is there from now on, until it ends.
void place_on_gpu(Tasks& tasks, Names& names, const TaskStarted& event) {
  for (const LimitDemand& demand : tasks.demand_sets.of(tasks.demands_of(event.id))) {
    if (!is_gpu_memory(names.text(demand.limit))) continue;
    tasks.on_gpu.set(event.id, {names.intern(event.gpu), demand.units});
  }
}

// One of many that ran at a crash asks for a token of its queue's recovery until it is started.
void pace(Tasks& tasks, Names& names, TaskId id, NameId queue) {
  auto demands = tasks.demand_sets.of(tasks.demands_of(id));
  demands.push_back({names.intern(recovery_limit(names.text(queue))), 1});
  set_demands(tasks, id, std::move(demands));
}

void end_pace(Tasks& tasks, const Names& names, TaskId id) {
  auto demands = tasks.demand_sets.of(tasks.demands_of(id));
  const auto paced = std::erase_if(demands, [&](const LimitDemand& demand) {
    return is_recovery_limit(names.text(demand.limit));
  });
  if (paced > 0) set_demands(tasks, id, std::move(demands));
}

TaskState state_at(Time run_at, Time now) {
  return run_at > now ? TaskState::delayed : TaskState::ready;
}

// They wait for nothing any more.
void unblock(Tasks& tasks, const EventPlace& place, const std::vector<TaskId>& dependents) {
  for (TaskId dependent : dependents) {
    const Time run_at = tasks.all.find(dependent)->run_at;
    step(tasks, place, {dependent, TaskStep::unblocked, state_at(run_at, place.at)},
         [](Task& unblocked) { unblocked.waiting_for = 0; });
  }
}

// What is kept of live tasks alone goes, and those that depend on it learn how it ended.
void end(Tasks& tasks, const EventPlace& place, TaskId id, TaskState ended) {
  if (!tasks.held.empty()) tasks.held.erase(id);
  if (!tasks.doomed.empty()) tasks.doomed.erase(id);
  if (!tasks.progress.empty()) tasks.progress.erase(id);
  if (!tasks.unique.empty()) tasks.unique.end(id);
  unblock(tasks, place, settle_dependents(tasks, id, ended));
  if (!tasks.groups.empty()) unblock(tasks, place, end_in_group(tasks, id));
}

// Known by its identity from now on. One that has ended is only as long as it is the last.
void be_known(Tasks& tasks, TaskId id) {
  const Uniqueness* unique = tasks.unique.all.find(id);
  if (unique == nullptr) return;
  const auto known = tasks.unique.of(unique->identity);
  const bool is_last = known.empty() || known.front() < id;
  if (is_last && !known.empty() && has_ended(tasks.all.find(known.front())->state)) {
    tasks.unique.leave(known.front());
  }
  tasks.unique.enter(id);
}

void set_last(Task& task, const AttemptEnd& end) {
  task.last_status = end.status;
  task.last_code = end.code;
}

std::vector<LimitDemand> demands_in(Names& names, const DemandListView& view) {
  std::vector<LimitDemand> demands;
  for (std::size_t i = 0; i < view.size(); ++i) {
    demands.push_back({names.intern(view[i].limit), view[i].units});
  }
  return demands;
}

// The lane an event speaks of, if there is one.
std::optional<Lane> find_lane(const Tasks& tasks, const Names& names, const LaneBlocked& event) {
  std::vector<LimitDemand> demands;
  for (std::size_t i = 0; i < event.demands.size(); ++i) {
    const auto limit = names.find(event.demands[i].limit);
    if (!limit) return std::nullopt;
    demands.push_back({*limit, event.demands[i].units});
  }
  const auto queue = names.find(event.queue);
  const auto kind = names.find(event.kind);
  const auto set = tasks.demand_sets.find(std::move(demands));
  if (!queue || !kind || !set) return std::nullopt;
  const Lane lane{*queue, *kind, *set, event.version};
  return tasks.ready.lanes().contains(lane) ? std::optional(lane) : std::nullopt;
}

bool has_terms(const TaskEnqueued& event) {
  return !event.owner.empty() || event.deadline != Time() || event.estimate != Duration(0) ||
         event.expires_at != Time() || event.retry_policy != RetryPolicy() ||
         event.crashes_max != 0 || event.version != 0;
}

}  // namespace

Time expiry(const Tasks& tasks, TaskId id, const Task& task) {
  const bool may_begin = task.state == TaskState::waiting || task.state == TaskState::delayed ||
                         task.state == TaskState::ready;
  return may_begin && !tasks.terms.empty() ? terms_of(tasks, id).expires_at : Time();
}

bool is_paused(const Tasks& tasks, TaskId id) {
  const Hold* hold = tasks.held.find(id);
  return hold != nullptr && hold->reason == HoldReason::paused;
}

Lane lane_of(const Tasks& tasks, TaskId id, const Task& task) {
  return {task.queue, task.kind, tasks.demands_of(id),
          tasks.terms.empty() ? 0 : terms_of(tasks, id).version};
}

ReadyKey key_by_priority(const Lane& lane, TaskId id, const Task& task) {
  return {lane, {-std::int64_t{task.priority}, id}};
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
    tasks.terms.set(
        event.id,
        {.owner = event.owner.empty() ? std::nullopt : std::optional(names.intern(event.owner)),
         .deadline = event.deadline,
         .estimate = event.estimate,
         .expires_at = event.expires_at,
         .retry_policy = event.retry_policy,
         .crashes_max = event.crashes_max,
         .version = event.version});
  }
  if (!event.demands.empty()) set_demands(tasks, event.id, demands_in(names, event.demands));
  if (event.unique) {
    tasks.unique.all.set(event.id, event.unique);
    be_known(tasks, event.id);
  }
  add_dependencies(tasks, event, task);
  if (event.group || event.after_group) enter_groups(tasks, event, task);
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

bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskStarted& event) {
  return step(tasks, place, {event.id, TaskStep::started, TaskState::running}, [&](Task& task) {
    end_pace(tasks, names, event.id);
    task.attempts = event.attempt;
    task.started_at = place.at;
    task.lease = Lease(place.position.value);
    if (!event.implementation.empty()) {
      tasks.run_by.set(event.id, names.intern(event.implementation));
    }
    if (!event.worker.empty()) {
      tasks.remote.set(event.id, {SharedText(event.worker), event.lease_time});
    }
    if (!event.gpu.empty()) place_on_gpu(tasks, names, event);
  });
}

// The same attempt: what it holds stays its own, and what has failed no longer has the lease.
bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskFailedOver& event) {
  return step(tasks, place, {event.id, TaskStep::failed_over, TaskState::running, event.lease},
              [&](Task& task) {
                task.lease = Lease(place.position.value);
                tasks.run_by.set(event.id, names.intern(event.to));
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

bool fold(Tasks& tasks, Names& names, const EventPlace& place, const TaskHandedBack& event) {
  const bool crashed = event.crashes > 0;
  const bool moved =
      step(tasks, place, {event.id, TaskStep::handed_back, TaskState::ready, event.lease},
           [&](Task& task) {
             if (crashed) set_last(task, event.end);
             if (event.paced) pace(tasks, names, event.id, task.queue);
           });
  if (moved && crashed) tasks.crashes.set(event.id, event.crashes);
  return moved;
}

bool fold(Tasks& tasks, Names& names, const EventPlace& place, const LaneBlocked& event) {
  const auto lane = find_lane(tasks, names, event);
  if (!lane) return false;
  tasks.blocked.set(*lane, {.reason = event.reason,
                            .limit = event.limit.empty() ? std::nullopt : names.find(event.limit),
                            .next = event.next,
                            .since = place.at});
  return true;
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
  if (moved && !tasks.unique.empty()) be_known(tasks, event.id);
  if (moved && !tasks.groups.empty()) tasks.groups.rejoin(event.id);
  return moved;
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const GroupOpened& event) {
  if (event.id <= tasks.groups.last || tasks.groups.find(event.name)) return false;
  tasks.groups.enter(event.id, {.name = SharedText(event.name), .opened_at = place.at});
  return true;
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const GroupClosed& event) {
  const Group* group = tasks.groups.all.find(event.id);
  if (group == nullptr || !group->is_open()) return false;
  unblock(tasks, place, close_group(tasks, event.id, place.at));
  return true;
}

// It is read from here on, and nothing else about the task is another.
bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskRequestCarried& event) {
  Task* task = tasks.all.edit(event.request.id);
  if (task == nullptr || !may_run(task->state)) return false;
  task->enqueued = place.position;
  if (!has_ended(task->state)) task->changed = place.position;
  return true;
}

bool fold(Tasks& tasks, Names&, const EventPlace& place, const TaskResultCarried& event) {
  Task* task = tasks.all.edit(event.id);
  if (task == nullptr || !has_ended(task->state)) return false;
  task->changed = place.position;
  return true;
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
