// What the oracle knows of where attempts run: in the slots of the engine, with which they end, or
// at workers elsewhere, which lose them by silence alone.
#include <almanac/tests/simulation/oracle.h>

#include <algorithm>
#include <string>
#include <vector>

namespace almanac::test {
std::uint64_t Oracle::running_here() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      tasks_, [](const auto& one) { return one.second.lease && !one.second.is_remote(); }));
}

void Oracle::judge_place(const TaskStarted& event, const Record& task) const {
  if (!event.worker.empty()) {
    return require(event.lease_time > Duration(0) && event.implementation.empty(),
                   text(event.id) + " is leased for no time, or run by an implementation");
  }
  require(runnable_.contains(task.kind), text(event.id) + " started without a handler");
  require(implementations_.takes(task.kind, task.version),
          text(event.id) + " is of a version nobody runs");
  require(running_here() < engine_slots_, "more attempts than the engine has slots");
  require(event.implementation == implementations_.usable(task.kind, ""),
          text(event.id) + " is run by another");
}

void Oracle::lease_is_answered(const LeaseSpec& asked, const LeasedTask& leased) const {
  const auto& [id, token] = leased.lease;
  attempt_begins(id, token.lease, leased.deadline);
  const Record& task = tasks_.at(id);
  require(task.is_remote() && task.lease_time == leased.lease_time && task.kind == leased.kind &&
              task.queue == leased.queue && task.label == leased.label,
          "a worker was given another task than that which began");
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  };
  require(has(asked.kinds, task.kind) && asked.versions.takes(task.version) &&
              (asked.queues.empty() || has(asked.queues, task.queue)),
          "a worker was given a task that it does not take");
}

void Oracle::is_heard_of(TaskId id, Lease lease) {
  if (holds(id, lease)) tasks_.at(id).heard = steady_;
}

void Oracle::end_is_accepted(TaskId id, Lease lease) const {
  require(!holds(id, lease), "the end of " + text(id) + " was accepted and is not in the log");
}

// A crash is no failure: it was reported, or the engine died with the attempt, or its worker was
// silent for too long.
void Oracle::crash(Record& task, Lease lease, HandBackReason reason, std::uint32_t crashes) {
  require(!task.must_be_cancelled, "a task that was cancelled crashed");
  end_attempt(task, lease);
  require(crashes == ++task.crashes, "crashes are miscounted");
  switch (reason) {
    case HandBackReason::engine_died:
      require(!task.is_remote(), "an attempt of a worker elsewhere is taken back with an engine");
      return require(lease.value < engine_started_.value, "an attempt of the engine that runs");
    case HandBackReason::silent:
      require(task.is_remote(), "an attempt of the engine itself is taken back for its silence");
      return require(steady_ - task.heard >= task.lease_time,
                     "an attempt is taken back whose worker was heard of in time");
    default: require(reports_[lease].crashed, "a crash that nobody reported");
  }
}

void Oracle::check(const TaskHandedBack& event) {
  Record& task = record(event.id);
  require(!task.must_be_cancelled, "a task that was cancelled is handed back");
  if (event.reason != HandBackReason::stopping) {
    crash(task, event.lease, event.reason, event.crashes);
    return require(task.crashes < task.crashes_max, text(event.id) + " crashes too often");
  }
  end_attempt(task, event.lease);
  require(task.is_remote() ? given_back_.contains(event.lease) : stopping_,
          "handed back by an engine that does not stop, or a worker that did not");
}

// Whoever runs elsewhere has all of its time from now on.
void Oracle::check(const EngineStarted& event) {
  engine_slots_ = event.slots;
  engine_started_ = now_.position;
  implementations_.engine_starts();
  for (auto& [id, task] : tasks_) task.heard = steady_;
}

void Oracle::check(const EngineStopped&) {
  for (const auto& [id, task] : tasks_) {
    require(!task.lease || task.is_remote(), "the engine stopped while " + text(id) + " ran");
  }
}

}  // namespace almanac::test
