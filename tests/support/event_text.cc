#include <almanac/tests/support/event_text.h>

#include <almanac/tests/support/event_line.h>
#include <almanac/tests/support/model_event_line.h>

namespace almanac::test {
namespace {

struct AddBody {
  EventLine& line;

  void operator()(const CustomEvent& event) {
    const auto& [type, data] = event;
    line.add("type", type).add("data", data);
  }
  void operator()(const TaskEnqueued& event) {
    const auto& [id, kind, queue, label, priority, run_at, timeout, backoff, attempts_max,
                 content_hash, tags, dependencies, conditions, owner, deadline, estimate,
                 expires_at, demands, retry_policy, crashes_max, keeps_dependencies, unique,
                 version, group, after_group, after_group_condition, payload] = event;
    line.add("id", id).add("kind", kind).add("queue", queue).add("label", label);
    line.add("priority", priority).add("run_at", run_at).add("timeout", timeout);
    line.add("backoff_initial", backoff.initial).add("backoff_max", backoff.max);
    line.add("attempts_max", std::uint64_t{attempts_max}).add("content_hash", content_hash);
    line.add("tags", tags).add("dependencies", dependencies).add("payload", payload);
    // Only where there are any: what was written before there were some reads as it did.
    if (!conditions.empty()) line.add("conditions", conditions);
    if (!owner.empty()) line.add("owner", owner);
    if (deadline != Time()) line.add("deadline", deadline);
    if (estimate != Duration(0)) line.add("estimate", estimate);
    if (expires_at != Time()) line.add("expires_at", expires_at);
    if (!demands.empty()) line.add("demands", demands);
    if (retry_policy != RetryPolicy()) line.add("retry_policy", name(retry_policy));
    if (crashes_max != 0) line.add("crashes_max", std::uint64_t{crashes_max});
    if (keeps_dependencies) line.add("keeps_dependencies", std::uint64_t{1});
    if (version != 0) line.add("version", std::uint64_t{version});
    if (group) line.add("group", group.value);
    if (after_group) {
      line.add("after_group", after_group.value).add("when", name(after_group_condition));
    }
    if (unique != Uniqueness()) {
      line.add("identity", to_text(unique.identity)).add("until", name(unique.until));
      line.add("within", unique.within);
    }
  }
  void operator()(const TaskReadied& event) {
    const auto& [id] = event;
    line.add("id", id);
  }
  void operator()(const TaskStarted& event) {
    const auto& [id, attempt, deadline, implementation, worker, lease_time, advisor, gpu] = event;
    line.add("id", id).add("attempt", std::uint64_t{attempt}).add("deadline", deadline);
    if (!implementation.empty()) line.add("implementation", implementation);
    if (!worker.empty()) line.add("worker", worker).add("lease_time", lease_time);
    if (!advisor.empty()) line.add("advisor", advisor);
    if (!gpu.empty()) line.add("gpu", gpu);
  }
  void operator()(const TaskSucceeded& event) {
    const auto& [id, lease, end] = event;
    line.add("id", id).add("lease", lease).add(end);
  }
  void operator()(const TaskAttemptFailed& event) {
    const auto& [id, lease, retry_at, end] = event;
    line.add("id", id).add("lease", lease).add("retry_at", retry_at).add(end);
  }
  void operator()(const TaskFailed& event) {
    const auto& [id, lease, end, crashes] = event;
    line.add("id", id).add("lease", lease).add(end);
    if (crashes > 0) line.add("crashes", std::uint64_t{crashes});
  }
  void operator()(const TaskCancelRequested& event) {
    const auto& [id, reason] = event;
    line.add("id", id).add("reason", reason);
  }
  void operator()(const TaskCancelled& event) {
    const auto& [id, lease, dependency, reason, end] = event;
    line.add("id", id).add("lease", lease).add("dependency", dependency).add("reason", reason);
    line.add(end);
  }
  void operator()(const TaskHandedBack& event) {
    const auto& [id, lease, reason, paced, crashes, end] = event;
    line.add("id", id).add("lease", lease).add("reason", name(reason));
    if (paced) line.add("paced", std::uint64_t{1});
    if (crashes > 0) line.add("crashes", std::uint64_t{crashes}).add(end);
  }
  void operator()(const TaskHeld& event) {
    const auto& [id, lease, reason, outcome, started, ended] = event;
    line.add("id", id).add("lease", lease).add("reason", name(reason));
    line.add("outcome", name(outcome)).add("started", started).add("ended", ended);
  }
  void operator()(const TaskReleased& event) {
    const auto& [id] = event;
    line.add("id", id);
  }
  void operator()(const TaskAccepted& event) {
    const auto& [id] = event;
    line.add("id", id);
  }
  void operator()(const TasksReranked& event) {
    const auto& [through, last] = event;
    line.add("through", through).add("last", last);
  }
  void operator()(const TaskSnoozed& event) {
    const auto& [id, lease, until] = event;
    line.add("id", id).add("lease", lease).add("until", until);
  }
  void operator()(const TaskProgressed& event) {
    const auto& [id, lease, permille, message, partial] = event;
    line.add("id", id).add("lease", lease).add("permille", std::uint64_t{permille});
    line.add("message", message).add("partial", partial);
  }
  void operator()(const TaskRedriven& event) {
    const auto& [id, reason] = event;
    line.add("id", id).add("reason", reason);
  }
  void operator()(const TasksForgotten& event) {
    const auto& [ids] = event;
    line.add("ids", ids);
  }
  void operator()(const WorkPaused& event) {
    const auto& [scope, of] = event;
    line.add("scope", name(scope)).add("name", of);
  }
  void operator()(const WorkResumed& event) {
    const auto& [scope, of] = event;
    line.add("scope", name(scope)).add("name", of);
  }
  void operator()(const ImplementationsSet& event) {
    const auto& [kind, implementations, versions] = event;
    line.add("kind", kind).add("implementations", implementations);
    if (versions != VersionRange()) {
      line.add("min", std::uint64_t{versions.min}).add("max", std::uint64_t{versions.max});
    }
  }
  void operator()(const ImplementationLeft& event) {
    const auto& [kind, implementation, reason] = event;
    line.add("kind", kind).add("implementation", implementation).add("reason", reason);
  }
  void operator()(const ImplementationReturned& event) {
    const auto& [kind, implementation] = event;
    line.add("kind", kind).add("implementation", implementation);
  }
  void operator()(const TaskFailedOver& event) {
    const auto& [id, lease, deadline, from, to, end] = event;
    line.add("id", id).add("lease", lease).add("deadline", deadline);
    line.add("from", from).add("to", to).add(end);
  }
  void operator()(const TaskRequestCarried& event) { (*this)(event.request); }
  void operator()(const TaskResultCarried& event) {
    const auto& [id, end] = event;
    line.add("id", id).add(end);
  }
  void operator()(const QueueConfigured& event) {
    const auto& [queue, slots, policy, ageing, window, short_work, weights, retention] = event;
    line.add("queue", queue).add("slots", std::uint64_t{slots});
    // As with the terms of a task.
    if (policy != QueuePolicy::priority) line.add("policy", name(policy));
    if (ageing != Duration(0)) line.add("ageing", ageing);
    if (window != Duration(0)) line.add("window", window);
    if (short_work != Duration(0)) line.add("short_work", short_work);
    if (!weights.empty()) line.add("weights", weights);
    if (retention == QueueRetention()) return;
    line.add("retain_succeeded", retention.succeeded).add("retain_failed", retention.failed);
    line.add("retain_cancelled", retention.cancelled);
  }
  void operator()(const EngineStarted& event) {
    const auto& [version, process_id, slots, seed] = event;
    line.add("version", version).add("process_id", process_id);
    line.add("slots", std::uint64_t{slots}).add("seed", seed);
  }
  void operator()(const EngineStopped&) {}
  void operator()(const BackupScheduled& event) {
    const auto& [job, action, schedule, repository, next] = event;
    line.add("job", job).add("action", name(action)).add("schedule", schedule);
    line.add("repository", repository).add("next", next);
  }
  void operator()(const BackupUnscheduled& event) {
    const auto& [job] = event;
    line.add("job", job);
  }
  void operator()(const BackupStarted& event) {
    const auto& [job, due, next, missed, missed_since] = event;
    line.add("job", job).add("due", due).add("next", next).add("missed", missed);
    line.add("missed_since", missed_since);
  }
  void operator()(const SnapshotMade& event) {
    const auto& [run, snapshot, through, frame_bytes, file_bytes] = event;
    line.add(run).add("snapshot", snapshot).add("through", through);
    line.add("frame_bytes", frame_bytes).add("file_bytes", file_bytes);
  }
  void operator()(const SnapshotSkipped& event) {
    const auto& [run, snapshot] = event;
    line.add(run).add("snapshot", snapshot);
  }
  void operator()(const SnapshotsPruned& event) {
    const auto& [run, snapshots, files, bytes] = event;
    line.add(run).add("snapshots", snapshots).add("files", files).add("bytes", bytes);
  }
  void operator()(const DrillPassed& event) {
    const auto& [run, snapshot, at, frame_bytes, file_bytes, restore_took] = event;
    line.add(run).add("snapshot", snapshot).add("at", at).add("frame_bytes", frame_bytes);
    line.add("file_bytes", file_bytes).add("restore_took", restore_took);
  }
  void operator()(const BackupFailed& event) {
    const auto& [run, code, message] = event;
    line.add(run).add("code", code).add("message", message);
  }
  void operator()(const ScheduleDefined& event) {
    const auto& [schedule, recurrence, missed, window, overlap, next, task] = event;
    line.add("schedule", schedule).add("recurrence", recurrence).add("missed", name(missed));
    line.add("window", window).add("overlap", name(overlap)).add("next", next);
    (*this)(task);
  }
  void operator()(const SchedulePaused& event) {
    const auto& [schedule, reason] = event;
    line.add("schedule", schedule).add("reason", reason);
  }
  void operator()(const ScheduleResumed& event) {
    const auto& [schedule, next] = event;
    line.add("schedule", schedule).add("next", next);
  }
  void operator()(const ScheduleRemoved& event) {
    const auto& [schedule] = event;
    line.add("schedule", schedule);
  }
  void operator()(const ScheduleFired& event) {
    const auto& [schedule, instant, task, next] = event;
    line.add("schedule", schedule).add("instant", instant).add("task", task).add("next", next);
  }
  void operator()(const ScheduleQueued& event) {
    const auto& [schedule, instant, next] = event;
    line.add("schedule", schedule).add("instant", instant).add("next", next);
  }
  void operator()(const ScheduleSkipped& event) {
    const auto& [schedule, reason, count, first, last, next] = event;
    line.add("schedule", schedule).add("reason", name(reason)).add("count", count);
    line.add("first", first).add("last", last).add("next", next);
  }
  void operator()(const LimitConfigured& event) {
    const auto& [limit, units, per_minute, burst] = event;
    line.add("limit", limit).add("units", units);
    line.add("per_minute", std::uint64_t{per_minute}).add("burst", std::uint64_t{burst});
  }
  void operator()(const TokensTaken& event) {
    const auto& [limit, tokens, until] = event;
    line.add("limit", limit).add("tokens", std::uint64_t{tokens});
    if (until != Time()) line.add("until", until);
  }
  void operator()(const CircuitConfigured& event) {
    const auto& [service, requests_min, permille, in_row, window, cooldown, cooldown_max, probes] =
        event;
    line.add("service", service).add("requests_min", std::uint64_t{requests_min});
    line.add("failure_permille", std::uint64_t{permille}).add("in_row", std::uint64_t{in_row});
    line.add("window", window).add("cooldown", cooldown).add("cooldown_max", cooldown_max);
    line.add("probes", std::uint64_t{probes});
  }
  void operator()(const CircuitObserved& event) {
    const auto& [service, successes, failures, trailing_failures, took, probe] = event;
    line.add("service", service).add("successes", successes).add("failures", failures);
    line.add("trailing", trailing_failures).add("took", took).add("probe", probe);
  }
  void operator()(const CircuitProbed& event) {
    const auto& [service] = event;
    line.add("service", service);
  }
  void operator()(const CircuitOpened& event) {
    const auto& [service, cause, until, requests, failures, in_row, reason] = event;
    line.add("service", service).add("cause", name(cause)).add("until", until);
    line.add("requests", requests).add("failures", failures);
    line.add("in_row", std::uint64_t{in_row}).add("reason", reason);
  }
  void operator()(const CircuitHalfOpened& event) {
    const auto& [service, probes] = event;
    line.add("service", service).add("probes", std::uint64_t{probes});
  }
  void operator()(const CircuitClosed& event) {
    const auto& [service, cause, paced, reason] = event;
    line.add("service", service).add("cause", name(cause));
    line.add("paced", paced).add("reason", reason);
  }
  void operator()(const GroupOpened& event) {
    const auto& [id, name] = event;
    line.add("group", id.value).add("name", name);
  }
  void operator()(const GroupClosed& event) { line.add("group", event.id.value); }
  void operator()(const ComponentDescribed& event) {
    const auto& [component, folder, implementations, attempts_max, backoff, backoff_max, timeout,
                 interval] = event;
    line.add("component", component).add("folder", folder);
    for (std::size_t i = 0; i < implementations.size(); ++i) {
      const auto& [name, traits] = implementations[i];
      line.add("implementation", name).add("traits", std::uint64_t{traits.number()});
    }
    line.add("attempts_max", std::uint64_t{attempts_max}).add("backoff", backoff);
    line.add("backoff_max", backoff_max).add("timeout", timeout).add("interval", interval);
  }
  void operator()(const ComponentDiagnosed& event) {
    const auto& [component, implementation, issue, evidence, version, took, trend, next] = event;
    line.add("component", component).add("implementation", implementation);
    line.add("issue", name(issue)).add("evidence", evidence).add("version", version);
    line.add("took", took).add("trend", name(trend)).add("next", next);
  }
  void operator()(const ComponentFailed& event) {
    const auto& [component, implementation, reason] = event;
    line.add("component", component).add("implementation", implementation).add("reason", reason);
  }
  void operator()(const RepairRequested& event) {
    const auto& [component, implementation, strategy] = event;
    line.add("component", component).add("implementation", implementation);
    if (strategy) line.add("strategy", name(*strategy));
  }
  void operator()(const ComponentSwitched& event) {
    const auto& [component, from, to, cause] = event;
    line.add("component", component).add("from", from).add("to", to).add("cause", name(cause));
  }
  void operator()(const RepairStarted& event) {
    const auto& [component, implementation, issue, strategy, attempt, deadline] = event;
    line.add("component", component).add("implementation", implementation);
    line.add("issue", name(issue)).add("strategy", name(strategy));
    line.add("attempt", std::uint64_t{attempt}).add("deadline", deadline);
  }
  void operator()(const RepairEnded& event) {
    const auto& [component, implementation, repair, outcome, left, took, message, next] = event;
    line.add("component", component).add("implementation", implementation).add("repair", repair);
    line.add("outcome", name(outcome)).add("left", name(left)).add("took", took);
    line.add("message", message).add("next", next);
  }
  void operator()(const InstanceCreated& event) {
    const auto& [pool, instance, is_temporary] = event;
    line.add("pool", pool).add("instance", instance);
    line.add("temporary", std::uint64_t{is_temporary});
  }
  void operator()(const InstanceRetired& event) {
    const auto& [pool, instance, reason, message] = event;
    line.add("pool", pool).add("instance", instance).add("reason", name(reason));
    line.add("message", message);
  }
  void operator()(const InstanceFailed& event) {
    const auto& [pool, message] = event;
    line.add("pool", pool).add("message", message);
  }
  void operator()(const PoolExhausted& event) {
    const auto& [pool] = event;
    line.add("pool", pool);
  }
  void operator()(const HealthChanged& event) {
    const auto& [from, to, reasons] = event;
    line.add("from", name(from)).add("to", name(to)).add("reasons", reasons);
  }
  void operator()(const GpuDeviceAppeared& event) {
    const auto& [device, gpu, kind, sizes, local, is_estimate] = event;
    line.add("device", device).add("name", gpu).add("kind", name(kind)).add("sizes", sizes);
    line.add("local", std::uint64_t{local}).add("estimate", std::uint64_t{is_estimate});
  }
  void operator()(const GpuDeviceVanished& event) {
    const auto& [device, absence, message] = event;
    line.add("device", device).add("absence", name(absence)).add("message", message);
  }
  void operator()(const GpuSampled& event) {
    const auto& [device, own, budget] = event;
    line.add("device", device).add("own", own).add("budget", budget);
  }
  void operator()(const GpuAlertRaised& event) {
    const auto& [device, heap, level, before] = event;
    line.add("device", device).add("heap", std::uint64_t{heap});
    line.add("level", name(level)).add("before", name(before));
  }
  void operator()(const GpuAlertCleared& event) {
    const auto& [device, heap] = event;
    line.add("device", device).add("heap", std::uint64_t{heap});
  }
  void operator()(const AdvisorFellBack& event) {
    const auto& [advisor, fault, attempts, evidence, holds_back] = event;
    line.add("advisor", advisor).add("fault", name(fault));
    line.add("attempts", std::uint64_t{attempts}).add("evidence", evidence);
    line.add("holds_back", std::uint64_t{holds_back});
  }
  void operator()(const AdvisorReturned& event) {
    const auto& [advisor] = event;
    line.add("advisor", advisor);
  }
  void add(const MemoryContent& said) const {
    const auto& [content, summary, embedding, metadata] = said;
    line.add("content", content).add("summary", summary).add("embedding", embedding);
    line.add("metadata", metadata);
  }
  void add(const SealedMemory& sealed) const {
    const auto& [key, content, dimension] = sealed;
    line.add("key", key).add("sealed", content).add("dimension", std::uint64_t{dimension});
  }
  void operator()(const MemoryStored& event) {
    const auto& [id, kind, user, said, tags, significance, expires_at, task, sealed] = event;
    line.add("id", id).add("kind", kind).add("user", user);
    add(said);
    line.add("tags", tags).add("significance", std::uint64_t{significance});
    line.add("expires_at", expires_at).add("task", task);
    add(sealed);
  }
  void operator()(const MemoryUpdated& event) {
    const auto& [id, changed, said, tags, significance, expires_at, sealed] = event;
    line.add("id", id).add("changed", changed);
    add(said);
    line.add("tags", tags).add("significance", std::uint64_t{significance});
    line.add("expires_at", expires_at);
    add(sealed);
  }
  void operator()(const MemoryForgotten& event) {
    const auto& [id, cause, reason] = event;
    line.add("id", id).add("cause", name(cause)).add("reason", reason);
  }
  void operator()(const ContextChanged& event) {
    const auto& [user, key, field, content] = event;
    line.add("user", user).add("key", key).add("field", field).add("content", content);
  }
  void operator()(const ConversationTurnAdded& event) {
    const auto& [user, key, content] = event;
    line.add("user", user).add("key", key).add("content", content);
  }
  void operator()(const UserForgotten& event) {
    const auto& [user, key] = event;
    line.add("user", user).add("key", key);
  }
  void operator()(const RequestAudited& event) {
    const auto& [request, door, principal, action, subject, remote, count] = event;
    line.add("request", request).add("door", name(door)).add("principal", principal);
    line.add("action", action).add("subject", subject).add("remote", remote).add("count", count);
  }
  void operator()(const RequestRefused& event) {
    const auto& [request, door, reason, principal, action, remote, status, left_out] = event;
    line.add("request", request).add("door", name(door)).add("reason", name(reason));
    line.add("principal", principal).add("action", action).add("remote", remote);
    line.add("status", std::uint64_t{status}).add("left_out", left_out);
  }
  template <class OfModel>
    requires requires(const OfModel& event) { event.model; }
  void operator()(const OfModel& event) {
    add_fields(line, event);
  }
  void operator()(const LaneBlocked& event) {
    const auto& [queue, kind, demands, reason, limit, next, version] = event;
    line.add("queue", queue).add("kind", kind).add("demands", demands);
    line.add("reason", name(reason)).add("limit", limit).add("next", next);
    if (version != 0) line.add("version", std::uint64_t{version});
  }
};

}  // namespace

std::string event_text(const Event& event) {
  const auto& [at, idempotency_key, stream, correlation, causation, body] = event;
  EventLine line(type_name(body));
  line.add("at", at).add("key", idempotency_key).add("stream", stream);
  line.add("correlation", correlation).add("causation", causation);
  std::visit(AddBody{line}, body);
  return line.text();
}

std::string event_text(const RecordedEvent& recorded) {
  return std::to_string(recorded.position.value) + " " + event_text(recorded.event);
}

}  // namespace almanac::test
