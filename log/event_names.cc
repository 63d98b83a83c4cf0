#include <almanac/log/event.h>

#include <array>

namespace almanac {

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
    case LaneBlock::model: return "model";
    case LaneBlock::gpu_memory: return "gpu_memory";
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

std::string_view name(Health health) {
  static constexpr std::array<std::string_view, health_count> names = {"healthy", "degraded",
                                                                       "unhealthy"};
  return names.at(static_cast<std::size_t>(health));
}

std::string_view name(PoolRetirement reason) {
  switch (reason) {
    case PoolRetirement::age: return "age";
    case PoolRetirement::uses: return "uses";
    case PoolRetirement::slow: return "slow";
    case PoolRetirement::error: return "error";
    case PoolRetirement::probe: return "probe";
    case PoolRetirement::discarded: return "discarded";
    case PoolRetirement::surplus: return "surplus";
    case PoolRetirement::closed: return "closed";
  }
  return "unknown";
}

std::string_view name(AdvisorFault fault) {
  switch (fault) {
    case AdvisorFault::unavailable: return "unavailable";
    case AdvisorFault::timed_out: return "timed_out";
    case AdvisorFault::ended: return "ended";
    case AdvisorFault::protocol: return "protocol";
    case AdvisorFault::refused: return "refused";
    case AdvisorFault::malformed: return "malformed";
    case AdvisorFault::late: return "late";
    case AdvisorFault::wrong_request: return "wrong_request";
    case AdvisorFault::too_many: return "too_many";
    case AdvisorFault::unknown_task: return "unknown_task";
    case AdvisorFault::duplicate_task: return "duplicate_task";
    case AdvisorFault::wrong_scores: return "wrong_scores";
  }
  return "unknown";
}

std::string_view name(ForgetCause cause) {
  switch (cause) {
    case ForgetCause::asked: return "asked";
    case ForgetCause::expired: return "expired";
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

}  // namespace almanac
