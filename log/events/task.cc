#include <almanac/log/events/task.h>

namespace almanac {

std::string_view name(DependencyCondition condition) {
  switch (condition) {
    case DependencyCondition::success: return "success";
    case DependencyCondition::success_in_the_end: return "success_in_the_end";
    case DependencyCondition::end: return "end";
    case DependencyCondition::failure: return "failure";
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

std::string_view name(UniqueUntil until) {
  switch (until) {
    case UniqueUntil::ended: return "ended";
    case UniqueUntil::started: return "started";
    case UniqueUntil::succeeded: return "succeeded";
    case UniqueUntil::enqueued: return "enqueued";
  }
  return "unknown";
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

}  // namespace almanac
