#include <almanac/tests/simulation/oracle.h>

#include <almanac/projections/invariants.h>

#include <algorithm>
#include <optional>

namespace almanac::test {
namespace {

bool is_as_must_be(DependencyCondition condition, TaskState ended) {
  switch (condition) {
    case DependencyCondition::end: return true;
    case DependencyCondition::failure: return ended == TaskState::failed;
    default: return ended == TaskState::succeeded;
  }
}

std::optional<TaskStep> step_of(const EventBody& body) {
  for (std::size_t i = 0; i < task_step_count; ++i) {
    if (name(static_cast<TaskStep>(i)) == type_name(body)) return static_cast<TaskStep>(i);
  }
  return std::nullopt;
}

// The task an event speaks of.
TaskId task_of(const EventBody& body) {
  return std::visit(
      [](const auto& event) {
        if constexpr (requires { TaskId(event.id); }) return TaskId(event.id);
        return TaskId();
      },
      body);
}

}  // namespace

// ---- What is on the disk ------------------------------------------------------------------------

void Oracle::see(const RecordedEvent& recorded) {
  now_ = recorded;
  require(recorded.position == durable_.position.next(), "a gap in the log");
  require(recorded.event.at >= durable_.time, "time in the log runs backwards");
  std::visit([this](const auto& event) { check(event); }, recorded.event.body);
  const std::string wrong = circuits_.see(recorded);
  require(wrong.empty(), wrong);
  const std::string amiss = gpus_.see(recorded, [this] { return gpu_uses(); });
  require(amiss.empty(), amiss);
  fold_into(durable_, recorded);
  require(durable_.ignored == 0, "the fold ignored a " + std::string(type_name(now_.event.body)));
  cover(recorded.event);
  see_fair_turns();
  unshown_[recorded.position] = durable_;
}

Oracle::Record& Oracle::record(TaskId id) {
  auto found = tasks_.find(id);
  require(found != tasks_.end(), text(id) + " was never submitted");
  return found->second;
}

void Oracle::end(TaskId id, TaskState how) {
  Record& task = record(id);
  require(!task.ended.has_value(), "a task ended twice");
  require(!task.lease, "a task ended under the lease of an attempt");
  task.ended = how;
  task.ended_at = now_.event.at;
  for (auto& [other, dependent] : tasks_) await(dependent, id);
  if (task.group) group_moves(task.group);
}

// An end that is as it must be counts for good, also when the task is re-driven.
void Oracle::await(Record& task, TaskId dependency) {
  const auto found = task.dependencies.find(dependency);
  if (found == task.dependencies.end()) return;
  auto& [condition, met] = found->second;
  const auto ended = record(dependency).ended;
  met = met || (ended && is_as_must_be(condition, *ended));
}

void Oracle::end_attempt(Record& task, Lease lease) {
  require(lease && task.lease == lease, "an attempt ended that did not hold the lease");
  task.lease = Lease();
}

// A failure is one that was reported, or a deadline that has passed.
void Oracle::end_badly(Record& task, Lease lease, const AttemptEnd& end) {
  require(!must_fail_over(task, end), "a failure of what another implementation goes on with");
  end_attempt(task, lease);
  ++task.failures;
  judge_failure(task, lease, end);
}

void Oracle::judge_failure(const Record& task, Lease lease, const AttemptEnd& end) {
  require(!task.must_be_cancelled, "a task that was cancelled failed");
  const bool late = task.deadline != Time() && latest_ >= task.deadline;
  if (end.status == AttemptStatus::timed_out) return require(late, "timed out before its deadline");
  require(reports_[lease].ends.contains(end.status), "a failure that nobody reported");
  require(end.status != AttemptStatus::signaled, "a crash counts as a failure");
}

void Oracle::check(const TaskEnqueued& event) {
  require(event.id == TaskId(tasks_.size() + 1), "the numbers of tasks are not dense");
  const std::string label(event.label);
  require(!refused_.contains(label), "a submission that was refused is in the log");
  require(labels_.insert(label).second, "a task was submitted once and is there twice");
  Record& task = tasks_[event.id];
  task = {.kind = std::string(event.kind),
          .queue = std::string(event.queue),
          .label = label,
          .owner = std::string(event.owner),
          .dependencies = {},
          .not_before = event.run_at,
          .expires_at = event.expires_at,
          .deadline = {},
          .must_end_by = event.deadline,
          .estimate = event.estimate,
          .priority = event.priority,
          .demands = {{"kind:" + std::string(event.kind), 1}},
          .version = event.version,
          .backoff = event.backoff,
          .retry_policy = event.retry_policy,
          .attempts_max = event.attempts_max,
          .crashes_max = event.crashes_max == 0 ? crashes_max_default : event.crashes_max,
          .unique = event.unique,
          .group = {},
          .after_group = {},
          .enqueued_at = now_.event.at};
  for (std::size_t i = 0; i < event.demands.size(); ++i) {
    const auto [limit, units] = event.demands[i];
    task.demands[std::string(limit)] = units;
  }
  for (std::size_t i = 0; i < event.dependencies.size(); ++i) {
    const TaskId id = event.dependencies[i];
    require(!record(id).forgotten, text(event.id) + " depends on a task that was forgotten");
    task.dependencies[id] = {event.conditions.empty() ? DependencyCondition::success
                                                      : event.conditions[i]};
    await(task, id);
  }
  judge_groups(event, task);
  judge_unique(event);
}

void Oracle::judge_start(TaskId id, const Record& task) const {
  const auto who = text(id);
  require(!task.ended.has_value() && !task.held, who + " started when it had ended or was held");
  require(!is_paused(task), who + " started while its queue or kind was paused");
  require(!task.must_be_cancelled, who + " started after it was cancelled");
  require(!task.lease, who + " started under a second lease");
  require(now_.event.at >= task.not_before, who + " started before its time");
  require(task.expires_at == Time() || now_.event.at < task.expires_at,
          who + " started when it had expired");
  for (const auto& [dependency, awaited] : task.dependencies) {
    require(awaited.met, who + " started before " + text(dependency) + " had ended as it must");
  }
  require(!waits_for_group(task), who + " started before the group it waits for was over");
  judge_alone(id, task);
}

bool Oracle::is_paused(const Record& task) const {
  return paused_.contains({PauseScope::queue, task.queue}) ||
         paused_.contains({PauseScope::kind, task.kind});
}

void Oracle::check(const TaskStarted& event) {
  Record& task = record(event.id);
  judge_start(event.id, task);
  require(event.attempt == ++task.begun, text(event.id) + " miscounts its attempts");
  require(durable_.engine.slots == engine_slots_ && engine_slots_ > 0, "no engine runs");
  require(!is_queue_full(task), "more attempts than the queue has slots");
  judge_place(event, task);
  judge_gpu(event, task);
  judge_order(event.id, task);
  take_limits(task);
  task.implementation = event.implementation;
  task.lease = Lease(now_.position.value);
  task.deadline = event.deadline;
  task.lease_time = event.lease_time;
  task.heard = steady_;
}

// No start: no attempt is counted, and the slot stays taken.
void Oracle::check(const TaskFailedOver& event) {
  Record& task = record(event.id);
  require(must_fail_over(task, event.end), text(event.id) + " fails over and has attempts left");
  end_attempt(task, event.lease);
  judge_failure(task, event.lease, event.end);
  require(event.from == task.implementation, text(event.id) + " was not run by what has failed");
  require(!event.to.empty() && event.to == implementations_.usable(task.kind, task.implementation),
          text(event.id) + " fails over to another than the next");
  task.implementation = event.to;
  task.lease = Lease(now_.position.value);
  task.deadline = event.deadline;
}

void Oracle::check(const TaskSucceeded& event) {
  Record& task = record(event.id);
  require(!task.must_be_cancelled, "a task that was cancelled succeeded");
  end_attempt(task, event.lease);
  require(reports_[event.lease].ends.contains(AttemptStatus::succeeded),
          "a success that nobody reported");
  end(event.id, TaskState::succeeded);
}

void Oracle::check(const TaskAttemptFailed& event) {
  Record& task = record(event.id);
  end_badly(task, event.lease, event.end);
  require(task.failures < task.attempts_max, text(event.id) + " is tried too often");
  const RetryPolicy policy = task.retry_policy;
  const bool grows =
      policy == RetryPolicy::exponential || policy == RetryPolicy::exponential_jitter;
  const bool is_exact = policy == RetryPolicy::exponential || policy == RetryPolicy::fixed;
  auto whole = std::min(task.backoff.initial, task.backoff.max);
  for (std::uint32_t i = 1; grows && i < task.failures; ++i) {
    whole = std::min(whole * 2, task.backoff.max);
  }
  const Duration wait = event.retry_at - now_.event.at;
  require(wait >= (is_exact ? whole : whole / 2) && wait <= whole, "a backoff out of its bounds");
  task.not_before = event.retry_at;
}

void Oracle::check(const TaskFailed& event) {
  Record& task = record(event.id);
  if (event.crashes > 0) {
    const bool reported = event.end.status != AttemptStatus::crashed;
    const auto lost = task.is_remote() ? HandBackReason::silent : HandBackReason::engine_died;
    crash(task, event.lease, reported ? HandBackReason::crashed : lost, event.crashes);
    require(task.crashes == task.crashes_max, text(event.id) + " failed with crashes left");
  } else {
    end_badly(task, event.lease, event.end);
    require(
        event.end.permanent ? reports_[event.lease].permanent : task.failures == task.attempts_max,
        text(event.id) + " failed with attempts left");
  }
  end(event.id, TaskState::failed);
}

void Oracle::check(const TaskCancelRequested& event) {
  Record& task = record(event.id);
  require(!!task.lease, text(event.id) + " is told to stop and does not run");
  require(cancels_.contains(event.id) || is_replaced(event.id, event.reason),
          "a cancel that nobody asked for");
  task.must_be_cancelled = true;
}

void Oracle::judge_doomed(const Record& task, TaskId dependency) {
  const Record& culprit = record(dependency);
  if (is_doomed_by_group(task, culprit)) return;
  const auto awaited = task.dependencies.find(dependency);
  require(awaited != task.dependencies.end(), "cancelled for what it does not depend on");
  const bool may_be_met = culprit.ended == TaskState::failed &&
                          awaited->second.condition == DependencyCondition::success_in_the_end;
  require(culprit.ended.has_value() && !awaited->second.met && !may_be_met,
          "cancelled for a dependency that ended as it must, or still may");
}

void Oracle::check(const TaskCancelled& event) {
  Record& task = record(event.id);
  if (event.lease) {
    require(task.must_be_cancelled, "an attempt was cancelled that was not told to stop");
    end_attempt(task, event.lease);
  } else if (event.dependency) {
    judge_doomed(task, event.dependency);
  } else {
    const bool has_expired =
        task.expires_at != Time() && now_.event.at >= task.expires_at && !task.lease;
    const bool is_asked = cancels_.contains(event.id) || task.must_be_cancelled ||
                          is_replaced(event.id, event.reason);
    require(is_asked || task.held || has_expired, "a cancel that nobody asked for");
    require(!task.lease || task.must_be_cancelled, "cancelled while it ran");
    task.lease = Lease();  // of an engine that died
  }
  task.must_be_cancelled = true;
  task.held = false;
  end(event.id, TaskState::cancelled);
}

void Oracle::check(const TaskSnoozed& event) {
  Record& task = record(event.id);
  require(!task.must_be_cancelled, "a task that was cancelled snoozes");
  end_attempt(task, event.lease);
  require(reports_[event.lease].snoozed, "a snooze that nobody asked for");
  require(event.until >= now_.event.at, "a snooze until a time that was over");
  task.not_before = event.until;
}

void Oracle::check(const TaskProgressed& event) {
  require(holds(event.id, event.lease), "an attempt tells of its progress without a lease");
}

void Oracle::check(const TaskRedriven& event) {
  Record& task = record(event.id);
  require(retries_.contains(event.id), "a retry that nobody asked for");
  require(task.ended == TaskState::failed, text(event.id) + " runs again and had not failed");
  judge_retry(event.id, task);
  task.ended.reset();
  task.failures = 0;
  task.crashes = 0;
}

void Oracle::check(const WorkPaused& event) {
  paused_.emplace(event.scope, std::string(event.name));
}

void Oracle::check(const WorkResumed& event) {
  paused_.erase({event.scope, std::string(event.name)});
}

void Oracle::check(const TaskHeld& event) {
  Record& task = record(event.id);
  require(!task.ended.has_value(), text(event.id) + " is held and has ended");
  task.held = true;
  if (event.reason == HoldReason::paused) {
    require(pauses_.contains(event.id), "a pause that nobody asked for");
    return require(!task.lease, text(event.id) + " is paused while it runs");
  }
  require(now_.position > restored_through_ && engine_started_ <= restored_through_,
          "held without a restore");
  task.lease = Lease();
}

void Oracle::check(const TaskReleased& event) { record(event.id).held = false; }

void Oracle::check(const TaskAccepted& event) {
  Record& task = record(event.id);
  require(task.held, text(event.id) + " is accepted and was not held");
  task.held = false;
  end(event.id, TaskState::succeeded);
}

void Oracle::check(const BackupStarted& event) {
  Time& last = backups_[std::string(event.job)];
  require(event.due > last, "a backup was begun twice for one time");
  require(event.due <= now_.event.at && event.next > now_.event.at, "a backup out of its time");
  last = event.due;
}

// The row of every task that this event has moved: its own by the step it is, others because they
// waited for it.
void Oracle::cover(const Event& event) {
  const auto step = step_of(event.body);
  const auto own = task_of(event.body);
  for (auto& [id, task] : tasks_) {
    if (task.forgotten) continue;
    const Task& now = *durable_.tasks.all.find(id);
    if (now.changed != durable_.position) continue;
    const bool is_new = now.enqueued == durable_.position;
    const auto from = is_new ? std::nullopt : std::optional(task.state);
    coverage_.reach(from, id == own && step ? *step : TaskStep::unblocked, now.state);
    task.state = now.state;
  }
}

// ---- What happens outside -----------------------------------------------------------------------

void Oracle::engine_begins(const State& recovered) {
  require(recovered.position == durable_.position, "the log that was recovered is another one");
  require(digest(recovered) == digest(durable_), "the state that was recovered is another one");
  runnable_.clear();
  gpus_.engine_begins();
  stopping_ = false;
  unshown_.clear();
}

void Oracle::is_published(const State& state) {
  auto same = unshown_.find(state.position);
  require(same != unshown_.end(), "what is published is not on the disk");
  require(digest(state) == digest(same->second), "what is published is not the fold of the log");
  const auto broken = broken_invariants(state, 1);
  require(broken.empty(), broken.empty() ? "" : broken.front());
  unshown_.erase(unshown_.begin(), std::next(same));
}

void Oracle::attempt_ends(Lease lease, const AttemptOutcome& outcome) {
  Reports& reports = reports_[lease];
  reports.permanent = reports.permanent || outcome.permanent;
  if (outcome.crashed) {
    reports.crashed = true;
  } else if (outcome.snooze_until != Time()) {
    reports.snoozed = true;
  } else {
    reports.ends.insert(outcome.status);
  }
}

void Oracle::attempt_begins(TaskId id, Lease lease, Time deadline) const {
  require(holds(id, lease), "an attempt begins without a lease");
  require(tasks_.at(id).deadline == deadline, "an attempt begins with another deadline");
}

void Oracle::cancel_is_accepted(TaskId id) const {
  const auto task = tasks_.find(id);
  require(task != tasks_.end() && task->second.must_be_cancelled,
          "a cancel that is not in the log");
}

void Oracle::submission_is_accepted(const std::vector<std::string>& labels,
                                    const std::vector<Submitted>& submitted) const {
  require(labels.size() == submitted.size(), "an answer for other tasks");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto task = tasks_.find(submitted[i].id);
    require(task != tasks_.end(), "a submission was accepted and is not in the log");
    require(submitted[i].existed() || task->second.label == labels[i],
            "an answer for another task");
  }
}

void Oracle::submission_is_refused(const std::vector<std::string>& labels) {
  for (const std::string& label : labels) {
    require(!labels_.contains(label), "a submission was refused and is in the log");
    refused_.insert(label);
  }
}

bool Oracle::holds(TaskId id, Lease lease) const {
  const auto task = tasks_.find(id);
  return task != tasks_.end() && task->second.lease == lease;
}

bool Oracle::all_have_ended() const {
  return std::ranges::all_of(tasks_, [](const auto& one) { return one.second.ended.has_value(); });
}

// What could run, runs; what is due has been seen.
void Oracle::is_idle(Time now) const {
  const std::string missing = circuits_.missing(now);
  require(missing.empty(), missing);
  for (const auto& [id, task] : tasks_) {
    if (task.ended) continue;
    const TaskState state = durable_.tasks.all.find(id)->state;
    const bool waits =
        waits_for_group(task) ||
        std::ranges::any_of(task.dependencies, [](const auto& one) { return !one.second.met; });
    require(state != TaskState::waiting || waits, text(id) + " waits and for nothing");
    require(state != TaskState::delayed || task.not_before > now, text(id) + " is overdue");
    const bool may_begin = !task.lease && !task.held;
    require(!may_begin || task.expires_at == Time() || task.expires_at > now,
            text(id) + " has expired and is not cancelled");
    const bool can_run = runnable_.contains(task.kind) && !is_paused(task) &&
                         implementations_.takes(task.kind, task.version);
    if (state != TaskState::ready || !can_run || running_here() >= engine_slots_) continue;
    require(is_queue_full(task) || may_wait_for_limits(task, now) || may_wait_for_gpu(task),
            text(id) + " could run and does not");
  }
}

void Oracle::is_over() const {
  for (const auto& [id, task] : tasks_) {
    if (task.ended) continue;
    throw Violation(text(id) + " never ended: it is " +
                    std::string(name(durable_.tasks.all.find(id)->state)));
  }
}

}  // namespace almanac::test
