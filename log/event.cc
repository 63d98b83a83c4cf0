#include <almanac/log/event.h>

#include <almanac/log/limits.h>

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

namespace almanac {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<EventBody>> type_names = {
    "custom",          "TaskEnqueued",       "TaskReadied",        "TaskStarted",
    "TaskSucceeded",   "TaskAttemptFailed",  "TaskFailed",         "TaskCancelRequested",
    "TaskCancelled",   "TaskHandedBack",     "TaskHeld",           "TaskReleased",
    "TaskAccepted",    "QueueConfigured",    "EngineStarted",      "EngineStopped",
    "BackupScheduled", "BackupUnscheduled",  "BackupStarted",      "SnapshotMade",
    "SnapshotSkipped", "SnapshotsPruned",    "DrillPassed",        "BackupFailed",
    "ScheduleDefined", "SchedulePaused",     "ScheduleResumed",    "ScheduleRemoved",
    "ScheduleFired",   "ScheduleQueued",     "ScheduleSkipped",    "TasksReranked",
    "LimitConfigured", "TokensTaken",        "LaneBlocked",        "TaskSnoozed",
    "TaskProgressed",  "TaskRedriven",       "TasksForgotten",     "WorkPaused",
    "WorkResumed",     "ImplementationsSet", "ImplementationLeft", "ImplementationReturned",
    "TaskFailedOver",  "TaskRequestCarried", "TaskResultCarried",  "CircuitConfigured",
    "CircuitObserved", "CircuitProbed",      "CircuitOpened",      "CircuitHalfOpened",
    "CircuitClosed",   "GroupOpened",        "GroupClosed"};

// Everything of variable length in one event. Reused from event to event.
struct Carried {
  std::size_t bytes = 0;
  std::vector<std::string_view> names = {};

  void clear() {
    bytes = 0;
    names.clear();
  }
  void add(const AttemptEnd& end) {
    bytes += end.message.size() + end.result.size() + end.output.size();
  }
  void add(const DemandListView& demands) {
    for (std::size_t i = 0; i < demands.size(); ++i) names.push_back(demands[i].limit);
    bytes += demands.size() * sizeof(DemandListView::Stored);
  }
  void operator()(const CustomEvent& event) {
    names.push_back(event.type);
    bytes += event.data.size();
  }
  void operator()(const TaskEnqueued& event) {
    names.push_back(event.kind);
    names.push_back(event.queue);
    for (std::size_t i = 0; i < event.tags.size(); ++i) names.push_back(event.tags[i]);
    if (!event.owner.empty()) names.push_back(event.owner);
    add(event.demands);
    bytes += event.label.size() + event.payload.size() + event.dependencies.size_bytes() +
             event.conditions.size_bytes() + event.tags.size() * sizeof(std::uint16_t);
  }
  void operator()(const TaskReadied&) {}
  void operator()(const TaskStarted& event) {
    if (!event.implementation.empty()) names.push_back(event.implementation);
    if (!event.worker.empty()) names.push_back(event.worker);
  }
  void operator()(const TaskSucceeded& event) { add(event.end); }
  void operator()(const TaskAttemptFailed& event) { add(event.end); }
  void operator()(const TaskFailed& event) { add(event.end); }
  void operator()(const TaskCancelRequested& event) { bytes += event.reason.size(); }
  void operator()(const TaskCancelled& event) {
    bytes += event.reason.size();
    add(event.end);
  }
  void operator()(const TaskHandedBack& event) { add(event.end); }
  void operator()(const TaskHeld&) {}
  void operator()(const TaskReleased&) {}
  void operator()(const TaskAccepted&) {}
  void operator()(const TasksReranked&) {}
  void operator()(const QueueConfigured& event) {
    names.push_back(event.queue);
    for (std::size_t i = 0; i < event.weights.size(); ++i) names.push_back(event.weights[i].name);
    bytes += event.weights.size() * sizeof(QueueWeightListView::Stored);
  }
  void operator()(const TaskSnoozed&) {}
  void operator()(const TaskFailedOver& event) {
    names.push_back(event.from);
    names.push_back(event.to);
    add(event.end);
  }
  void operator()(const TaskRequestCarried& event) { (*this)(event.request); }
  void operator()(const TaskResultCarried& event) { add(event.end); }
  void operator()(const TaskProgressed& event) {
    bytes += event.message.size() + event.partial.size();
  }
  void operator()(const TaskRedriven& event) { bytes += event.reason.size(); }
  void operator()(const TasksForgotten& event) { bytes += event.ids.size_bytes(); }
  void operator()(const WorkPaused& event) { names.push_back(event.name); }
  void operator()(const WorkResumed& event) { names.push_back(event.name); }
  void operator()(const ImplementationsSet& event) {
    names.push_back(event.kind);
    const auto& list = event.implementations;
    for (std::size_t i = 0; i < list.size(); ++i) names.push_back(list[i].name);
    bytes += list.size() * sizeof(ImplementationListView::Stored);
  }
  void operator()(const ImplementationLeft& event) {
    names.push_back(event.kind);
    names.push_back(event.implementation);
    bytes += event.reason.size();
  }
  void operator()(const ImplementationReturned& event) {
    names.push_back(event.kind);
    names.push_back(event.implementation);
  }
  template <class OfService>
    requires requires(const OfService& event) { event.service; }
  void operator()(const OfService& event) {
    names.push_back(event.service);
    if constexpr (requires { event.reason; }) bytes += event.reason.size();
  }
  void operator()(const GroupOpened& event) { bytes += event.name.size(); }
  void operator()(const GroupClosed&) {}
  void operator()(const EngineStarted& event) { bytes += event.version.size(); }
  void operator()(const EngineStopped&) {}
  void operator()(const BackupScheduled& event) {
    names.push_back(event.job);
    bytes += event.schedule.size() + event.repository.size();
  }
  void operator()(const BackupUnscheduled& event) { names.push_back(event.job); }
  void operator()(const BackupStarted& event) { names.push_back(event.job); }
  void operator()(const BackupFailed& event) {
    names.push_back(event.run.job);
    bytes += event.code.size() + event.message.size();
  }
  void operator()(const ScheduleDefined& event) {
    names.push_back(event.schedule);
    bytes += event.recurrence.size();
    (*this)(event.task);
  }
  void operator()(const SchedulePaused& event) {
    names.push_back(event.schedule);
    bytes += event.reason.size();
  }
  template <class OfSchedule>
    requires requires(const OfSchedule& event) { event.schedule; }
  void operator()(const OfSchedule& event) {
    names.push_back(event.schedule);
  }
  void operator()(const LimitConfigured& event) { names.push_back(event.name); }
  void operator()(const TokensTaken& event) { names.push_back(event.limit); }
  void operator()(const LaneBlocked& event) {
    names.push_back(event.queue);
    names.push_back(event.kind);
    if (!event.limit.empty()) names.push_back(event.limit);
    add(event.demands);
  }
  template <class BackupEnd>
    requires requires(const BackupEnd& event) { event.run; }
  void operator()(const BackupEnd& event) {
    names.push_back(event.run.job);
  }
};

// Different names. Most batches have a few, which are found faster in a row than in a table.
class DistinctNames {
 public:
  void add(std::string_view name) {
    if (std::ranges::find(few_, name) != few_.end()) return;
    if (few_.size() < few_max) {
      few_.push_back(name);
    } else if (!many_.insert(name).second) {
      return;
    }
    bytes_ += name.size();
  }
  [[nodiscard]] std::size_t count() const { return few_.size() + many_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t few_max = 8;
  std::vector<std::string_view> few_;
  std::unordered_set<std::string_view> many_;
  std::size_t bytes_ = 0;
};

std::unexpected<Error> too_large(const std::string& what, std::size_t size, std::size_t size_max) {
  return fail(ErrorCode::invalid, what + " of " + std::to_string(size) + " is over the limit of " +
                                      std::to_string(size_max));
}

Result<void> check_event(const Event& event, const Carried& carried) {
  for (auto name : carried.names) {
    if (name.size() > limits::name_bytes_max) {
      return too_large("a name with a length", name.size(), limits::name_bytes_max);
    }
  }
  auto key_bytes = std::max(event.idempotency_key.size(), event.stream.size());
  if (key_bytes > limits::key_bytes_max) {
    return too_large("a key with a length", key_bytes, limits::key_bytes_max);
  }
  if (carried.bytes > limits::event_bytes_max) {
    return too_large("an event with a size", carried.bytes, limits::event_bytes_max);
  }
  return {};
}

Result<void> check_times(const EventBatch& batch) {
  Time first = batch.events.front().at;
  if (first < Time()) return fail(ErrorCode::invalid, "an event is older than the year 1970");
  Time before = first;
  for (const Event& event : batch.events) {
    if (event.at < before) {
      return fail(ErrorCode::invalid, "an event is older than the one before it");
    }
    before = event.at;
  }
  if (before - first > limits::frame_span_max) {
    return fail(ErrorCode::invalid, "the events of a batch lie over " +
                                        std::to_string(limits::frame_span_max.count()) +
                                        " minutes apart");
  }
  return {};
}

}  // namespace

std::string_view type_name(const EventBody& body) { return type_names[body.index()]; }

const TaskEnqueued& request_in(const EventBody& body) {
  const auto* carried = std::get_if<TaskRequestCarried>(&body);
  return carried != nullptr ? carried->request : std::get<TaskEnqueued>(body);
}

const AttemptEnd* attempt_end_in(const EventBody& body) {
  return std::visit(
      [](const auto& event) -> const AttemptEnd* {
        if constexpr (requires { event.end; }) {
          return &event.end;
        } else {
          return nullptr;
        }
      },
      body);
}

std::string_view name(AttemptStatus status) {
  switch (status) {
    case AttemptStatus::succeeded: return "succeeded";
    case AttemptStatus::error: return "error";
    case AttemptStatus::exited: return "exited";
    case AttemptStatus::signaled: return "signaled";
    case AttemptStatus::timed_out: return "timed_out";
    case AttemptStatus::not_started: return "not_started";
    case AttemptStatus::crashed: return "crashed";
  }
  return "unknown";
}

std::string_view name(HandBackReason reason) {
  switch (reason) {
    case HandBackReason::stopping: return "stopping";
    case HandBackReason::engine_died: return "engine_died";
    case HandBackReason::forked: return "forked";
    case HandBackReason::crashed: return "crashed";
    case HandBackReason::silent: return "silent";
  }
  return "unknown";
}

std::string_view name(HoldReason reason) {
  switch (reason) {
    case HoldReason::restored: return "restored";
    case HoldReason::paused: return "paused";
  }
  return "unknown";
}

std::string_view name(TaskOutcome outcome) {
  switch (outcome) {
    case TaskOutcome::unknown: return "unknown";
    case TaskOutcome::succeeded: return "succeeded";
    case TaskOutcome::failed: return "failed";
    case TaskOutcome::cancelled: return "cancelled";
  }
  return "unknown";
}

std::string_view name(DependencyCondition condition) {
  switch (condition) {
    case DependencyCondition::success: return "success";
    case DependencyCondition::success_in_the_end: return "success_in_the_end";
    case DependencyCondition::end: return "end";
    case DependencyCondition::failure: return "failure";
  }
  return "unknown";
}

std::string_view name(QueuePolicy policy) {
  switch (policy) {
    case QueuePolicy::priority: return "priority";
    case QueuePolicy::fifo: return "fifo";
    case QueuePolicy::urgency: return "urgency";
    case QueuePolicy::deadline: return "deadline";
    case QueuePolicy::fair: return "fair";
  }
  return "unknown";
}

std::string_view name(LaneBlock block) {
  switch (block) {
    case LaneBlock::slots: return "slots";
    case LaneBlock::queue_slots: return "queue_slots";
    case LaneBlock::units: return "units";
    case LaneBlock::tokens: return "tokens";
    case LaneBlock::too_large: return "too_large";
    case LaneBlock::behind: return "behind";
    case LaneBlock::handler: return "handler";
    case LaneBlock::unavailable: return "unavailable";
    case LaneBlock::circuit: return "circuit";
    case LaneBlock::version: return "version";
  }
  return "unknown";
}

std::string_view name(CircuitCause cause) {
  switch (cause) {
    case CircuitCause::failure_rate: return "failure_rate";
    case CircuitCause::consecutive_failures: return "consecutive_failures";
    case CircuitCause::probe_failed: return "probe_failed";
    case CircuitCause::probe_late: return "probe_late";
    case CircuitCause::cooled_down: return "cooled_down";
    case CircuitCause::probes_succeeded: return "probes_succeeded";
    case CircuitCause::forced: return "forced";
    case CircuitCause::reset: return "reset";
  }
  return "unknown";
}

std::string_view name(UniqueUntil until) {
  switch (until) {
    case UniqueUntil::ended: return "ended";
    case UniqueUntil::started: return "started";
    case UniqueUntil::succeeded: return "succeeded";
    case UniqueUntil::enqueued: return "enqueued";
  }
  return "unknown";
}

std::string_view name(RetryPolicy policy) {
  switch (policy) {
    case RetryPolicy::exponential_jitter: return "exponential_jitter";
    case RetryPolicy::exponential: return "exponential";
    case RetryPolicy::fixed: return "fixed";
    case RetryPolicy::fixed_jitter: return "fixed_jitter";
  }
  return "unknown";
}

std::string_view name(PauseScope scope) {
  switch (scope) {
    case PauseScope::queue: return "queue";
    case PauseScope::kind: return "kind";
  }
  return "unknown";
}

std::string_view name(BackupAction action) {
  switch (action) {
    case BackupAction::snapshot: return "snapshot";
    case BackupAction::drill: return "drill";
    case BackupAction::prune: return "prune";
  }
  return "unknown";
}

std::string_view name(MissedPolicy policy) {
  switch (policy) {
    case MissedPolicy::skip: return "skip";
    case MissedPolicy::once: return "once";
    case MissedPolicy::all: return "all";
  }
  return "unknown";
}

std::string_view name(OverlapPolicy policy) {
  switch (policy) {
    case OverlapPolicy::allow: return "allow";
    case OverlapPolicy::skip: return "skip";
    case OverlapPolicy::queue: return "queue";
    case OverlapPolicy::replace: return "replace";
  }
  return "unknown";
}

std::string_view name(SkipReason reason) {
  switch (reason) {
    case SkipReason::missed: return "missed";
    case SkipReason::overlap: return "overlap";
    case SkipReason::queue_full: return "queue_full";
    case SkipReason::replaced: return "replaced";
    case SkipReason::paused: return "paused";
    case SkipReason::removed: return "removed";
  }
  return "unknown";
}

Result<BatchCost> check_batch(const EventBatch& batch) {
  if (batch.events.empty() || batch.events.size() > limits::batch_events_max) {
    return fail(ErrorCode::invalid,
                "a batch takes 1 to " + std::to_string(limits::batch_events_max) + " events");
  }
  if (auto checked = check_times(batch); !checked) return std::unexpected(checked.error());
  BatchCost cost;
  DistinctNames distinct;
  Carried carried;
  std::size_t carried_bytes = 0;
  for (const Event& event : batch.events) {
    carried.clear();
    std::visit(carried, event.body);
    if (auto checked = check_event(event, carried); !checked) {
      return std::unexpected(checked.error());
    }
    carried_bytes += carried.bytes + event.idempotency_key.size() + event.stream.size();
    for (auto name : carried.names) distinct.add(name);
  }
  if (carried_bytes > limits::batch_bytes_max) {
    return too_large("a batch with a size", carried_bytes, limits::batch_bytes_max);
  }
  if (distinct.count() >= limits::frame_names_max) {
    return too_large("a batch with a number of names", distinct.count(), limits::frame_names_max);
  }
  cost.names = distinct.count();
  cost.bytes = carried_bytes + distinct.bytes() +
               distinct.count() * limits::name_overhead_bytes_max +
               batch.events.size() * limits::event_overhead_bytes_max;
  return cost;
}

}  // namespace almanac
