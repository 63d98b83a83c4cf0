#include <almanac/tests/simulation/oracle.h>

#include <almanac/projections/invariants.h>

#include <algorithm>
#include <optional>

namespace almanac::test {
namespace {

std::string text(TaskId id) { return "task " + std::to_string(id.value); }

void require(bool holds, const std::string& what) {
  if (!holds) throw Violation(what);
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
  fold_into(durable_, recorded);
  require(durable_.ignored == 0, "the fold ignored a " + std::string(type_name(now_.event.body)));
  cover(recorded.event);
  unshown_[recorded.position] = durable_;
}

Oracle::Record& Oracle::record(TaskId id) {
  auto found = tasks_.find(id);
  require(found != tasks_.end(), text(id) + " was never submitted");
  return found->second;
}

void Oracle::end(Record& task) {
  require(!task.ended, "a task ended twice");
  require(!task.lease, "a task ended under the lease of an attempt");
  task.ended = true;
}

void Oracle::end_attempt(Record& task, Lease lease) {
  require(lease && task.lease == lease, "an attempt ended that did not hold the lease");
  task.lease = Lease();
}

// A failure is one that was reported, or a deadline that has passed.
void Oracle::end_badly(Record& task, Lease lease, const AttemptEnd& end) {
  require(!task.must_be_cancelled, "a task that was cancelled failed");
  end_attempt(task, lease);
  ++task.failures;
  const bool late = task.deadline != Time() && latest_ >= task.deadline;
  if (end.status == AttemptStatus::timed_out) return require(late, "timed out before its deadline");
  require(reports_[lease].contains(end.status), "a failure that nobody reported");
}

std::uint32_t Oracle::running_in(const std::string& queue) const {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      tasks_, [&](const auto& one) { return one.second.lease && one.second.queue == queue; }));
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
          .dependencies = {event.dependencies.begin(), event.dependencies.end()},
          .not_before = event.run_at,
          .deadline = {},
          .backoff = event.backoff,
          .attempts_max = event.attempts_max};
}

void Oracle::check(const TaskStarted& event) {
  Record& task = record(event.id);
  const auto who = text(event.id);
  require(!task.ended && !task.held, who + " started when it had ended or was held");
  require(!task.must_be_cancelled, who + " started after it was cancelled");
  require(!task.lease, who + " started under a second lease");
  require(event.attempt == ++task.begun, who + " miscounts its attempts");
  require(now_.event.at >= task.not_before, who + " started before its time");
  require(runnable_.contains(task.kind), who + " started without a handler");
  for (TaskId id : task.dependencies) {
    require(record(id).succeeded, who + " started before what it depends on had succeeded");
  }
  require(durable_.engine.slots == engine_slots_ && engine_slots_ > 0, "no engine runs");
  const auto all =
      std::ranges::count_if(tasks_, [](const auto& one) { return !!one.second.lease; });
  require(all < engine_slots_, "more attempts than the engine has slots");
  const auto slots = slots_.find(task.queue);
  require(slots == slots_.end() || slots->second == 0 || running_in(task.queue) < slots->second,
          "more attempts than the queue has slots");
  task.lease = Lease(now_.position.value);
  task.deadline = event.deadline;
}

void Oracle::check(const TaskSucceeded& event) {
  Record& task = record(event.id);
  require(!task.must_be_cancelled, "a task that was cancelled succeeded");
  end_attempt(task, event.lease);
  require(reports_[event.lease].contains(AttemptStatus::succeeded),
          "a success that nobody reported");
  end(task);
  task.succeeded = true;
}

void Oracle::check(const TaskAttemptFailed& event) {
  Record& task = record(event.id);
  end_badly(task, event.lease, event.end);
  require(task.failures < task.attempts_max, text(event.id) + " is tried too often");
  auto whole = std::min(task.backoff.initial, task.backoff.max);
  for (std::uint32_t i = 1; i < task.failures; ++i) whole = std::min(whole * 2, task.backoff.max);
  const Duration wait = event.retry_at - now_.event.at;
  require(wait >= whole / 2 && wait <= whole, "a backoff out of its bounds");
  task.not_before = event.retry_at;
}

void Oracle::check(const TaskFailed& event) {
  Record& task = record(event.id);
  end_badly(task, event.lease, event.end);
  require(task.failures == task.attempts_max, text(event.id) + " failed with attempts left");
  end(task);
}

void Oracle::check(const TaskCancelRequested& event) {
  Record& task = record(event.id);
  require(!!task.lease, text(event.id) + " is told to stop and does not run");
  require(cancels_.contains(event.id), "a cancel that nobody asked for");
  task.must_be_cancelled = true;
}

void Oracle::check(const TaskCancelled& event) {
  Record& task = record(event.id);
  if (event.lease) {
    require(task.must_be_cancelled, "an attempt was cancelled that was not told to stop");
    end_attempt(task, event.lease);
  } else if (event.dependency) {
    const Record& culprit = record(event.dependency);
    require(culprit.ended && !culprit.succeeded, "cancelled for a dependency that did not fail");
    require(std::ranges::find(task.dependencies, event.dependency) != task.dependencies.end(),
            "cancelled for what it does not depend on");
  } else {
    require(cancels_.contains(event.id) || task.held, "a cancel that nobody asked for");
    require(!task.lease || task.must_be_cancelled, "cancelled while it ran");
    task.lease = Lease();  // of an engine that died
  }
  task.must_be_cancelled = true;
  task.held = false;
  end(task);
}

void Oracle::check(const TaskHandedBack& event) {
  Record& task = record(event.id);
  require(!task.must_be_cancelled, "a task that was cancelled is handed back");
  end_attempt(task, event.lease);
  if (event.reason == HandBackReason::engine_died) {
    require(event.lease.value < engine_started_.value, "an attempt of the engine that runs");
  } else {
    require(stopping_, "handed back by an engine that does not stop");
  }
}

void Oracle::check(const TaskHeld& event) {
  Record& task = record(event.id);
  require(now_.position > restored_through_ && engine_started_ <= restored_through_,
          "held without a restore");
  require(!task.ended, text(event.id) + " is held and has ended");
  task.lease = Lease();
  task.held = true;
}

void Oracle::check(const TaskReleased& event) { record(event.id).held = false; }

void Oracle::check(const TaskAccepted& event) {
  Record& task = record(event.id);
  require(task.held, text(event.id) + " is accepted and was not held");
  task.held = false;
  end(task);
  task.succeeded = true;
}

void Oracle::check(const QueueConfigured& event) { slots_[std::string(event.queue)] = event.slots; }

void Oracle::check(const EngineStarted& event) {
  engine_slots_ = event.slots;
  engine_started_ = now_.position;
}

void Oracle::check(const EngineStopped&) {
  for (const auto& [id, task] : tasks_) {
    require(!task.lease, "the engine stopped while " + text(id) + " ran");
  }
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
    require(submitted[i].existed || task->second.label == labels[i], "an answer for another task");
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
  return std::ranges::all_of(tasks_, [](const auto& one) { return one.second.ended; });
}

// What could run, runs; what is due has been seen.
void Oracle::is_idle(Time now) const {
  const auto all =
      std::ranges::count_if(tasks_, [](const auto& one) { return !!one.second.lease; });
  for (const auto& [id, task] : tasks_) {
    const TaskState state = durable_.tasks.all.find(id)->state;
    require(state != TaskState::delayed || task.not_before > now, text(id) + " is overdue");
    if (state != TaskState::ready || !runnable_.contains(task.kind) || all >= engine_slots_)
      continue;
    const auto slots = slots_.find(task.queue);
    const bool queue_full =
        slots != slots_.end() && slots->second > 0 && running_in(task.queue) >= slots->second;
    require(queue_full, text(id) + " could run and does not");
  }
}

void Oracle::is_over() const {
  for (const auto& [id, task] : tasks_) {
    require(task.ended, text(id) + " never ended: it is " +
                            std::string(name(durable_.tasks.all.find(id)->state)));
  }
}

}  // namespace almanac::test
