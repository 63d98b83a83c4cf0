#include <almanac/log/events_codec.h>

#include <kj/debug.h>

namespace almanac::codec {
namespace {

static_assert(sizeof(TaskId) == sizeof(std::uint64_t) && std::is_trivially_copyable_v<TaskId>,
              "lists of ids are read in place");

bool has_terms(const TaskEnqueued& event) {
  return !event.owner.empty() || event.deadline != Time() || event.estimate != Duration(0) ||
         event.expires_at != Time() || !event.demands.empty() || !event.conditions.empty() ||
         event.retry_policy != RetryPolicy() || event.crashes_max != 0 || event.unique ||
         event.version != 0 || event.group || event.after_group;
}

void write_unique(const Uniqueness& from, schema::Uniqueness::Builder to) {
  to.setIdentityHigh(from.identity.high);
  to.setIdentityLow(from.identity.low);
  to.setUntil(static_cast<schema::UniqueUntil>(from.until));
  to.setWithin(from.within.count());
}

Uniqueness read_unique(schema::Uniqueness::Reader from) {
  auto until = static_cast<unsigned>(from.getUntil());
  KJ_REQUIRE(until < unique_until_count, "a uniqueness this version does not know");
  return {.identity = {from.getIdentityHigh(), from.getIdentityLow()},
          .until = static_cast<UniqueUntil>(until),
          .within = Duration(from.getWithin())};
}

void write_terms(const TaskEnqueued& from, schema::TaskTerms::Builder to, NameTable& names) {
  to.setOwner(names.index(from.owner));
  to.setDeadline(micros(from.deadline));
  to.setEstimate(from.estimate.count());
  to.setExpiresAt(micros(from.expires_at));
  to.setRetryPolicy(static_cast<schema::RetryPolicy>(from.retry_policy));
  to.setCrashesMax(from.crashes_max);
  to.setVersion(from.version);
  to.setGroup(from.group.value);
  to.setAfterGroup(from.after_group.value);
  to.setAfterGroupCondition(static_cast<schema::DependencyCondition>(from.after_group_condition));
  if (from.unique) write_unique(from.unique, to.initUnique());
  if (!from.demands.empty()) {
    write(from.demands, to.initDemands(static_cast<unsigned>(from.demands.size())), names);
  }
  if (!from.conditions.empty()) {
    auto conditions = to.initConditions(static_cast<unsigned>(from.conditions.size()));
    for (unsigned i = 0; i < conditions.size(); ++i) {
      conditions.set(i, static_cast<std::uint8_t>(from.conditions[i]));
    }
  }
}

void check_condition(DependencyCondition condition) {
  KJ_REQUIRE(static_cast<int>(condition) < dependency_condition_count,
             "a condition this version does not know");
}

void read_terms(schema::TaskTerms::Reader from, const Names& names, TaskEnqueued& to) {
  to.owner = names.at(from.getOwner());
  to.deadline = time(from.getDeadline());
  to.estimate = Duration(from.getEstimate());
  to.expires_at = time(from.getExpiresAt());
  to.crashes_max = from.getCrashesMax();
  to.version = from.getVersion();
  to.group = GroupId(from.getGroup());
  to.after_group = GroupId(from.getAfterGroup());
  to.after_group_condition = static_cast<DependencyCondition>(from.getAfterGroupCondition());
  check_condition(to.after_group_condition);
  if (from.hasUnique()) to.unique = read_unique(from.getUnique());
  auto policy = static_cast<unsigned>(from.getRetryPolicy());
  KJ_REQUIRE(policy < retry_policy_count, "a retry policy this version does not know");
  to.retry_policy = static_cast<RetryPolicy>(policy);
  to.demands = read(from.getDemands(), names);
  to.conditions = in_place<DependencyCondition>(from.getConditions());
  for (DependencyCondition condition : to.conditions) check_condition(condition);
  KJ_REQUIRE(to.conditions.empty() || to.conditions.size() == to.dependencies.size(),
             "a condition for each dependency or none");
}

void write_end(const AttemptEnd& from, schema::AttemptEnd::Builder to) {
  to.setStatus(static_cast<schema::AttemptStatus>(from.status));
  to.setCode(from.code);
  to.setOutputDropped(from.output_dropped);
  set_text(from.message, [&](unsigned size) { return to.initMessage(size); });
  if (!from.result.empty()) to.setResult(data(from.result));
  if (!from.output.empty()) to.setOutput(data(from.output));
  to.setPermanent(from.permanent);
}

AttemptEnd read_end(schema::AttemptEnd::Reader from) {
  auto status = static_cast<unsigned>(from.getStatus());
  KJ_REQUIRE(status < attempt_status_count, "an attempt status this version does not know");
  return {.status = static_cast<AttemptStatus>(status),
          .code = from.getCode(),
          .output_dropped = from.getOutputDropped(),
          .message = view(from.getMessage()),
          .result = view(from.getResult()),
          .output = view(from.getOutput()),
          .permanent = from.getPermanent()};
}

bool is_plain_success(const AttemptEnd& end) {
  return end.status == AttemptStatus::succeeded && end.code == 0 && end.output_dropped == 0 &&
         end.message.empty() && end.result.empty() && end.output.empty() && !end.permanent;
}

void write_leased(const TaskStarted& from, schema::TaskLeased::Builder to, NameTable& names) {
  to.setId(from.id.value);
  to.setAttempt(from.attempt);
  to.setWorker(names.index(from.worker));
  to.setDeadline(micros(from.deadline));
  to.setLeaseTime(from.lease_time.count());
  to.setAdvisor(names.index(from.advisor));
}

void write_on_gpu(const TaskStarted& from, schema::TaskStartedOnGpu::Builder to, NameTable& names) {
  to.setId(from.id.value);
  to.setAttempt(from.attempt);
  to.setGpu(names.index(from.gpu));
  to.setWorker(names.index(from.worker));
  to.setDeadline(micros(from.deadline));
  to.setLeaseTime(from.lease_time.count());
  to.setImplementation(names.index(from.implementation));
  to.setAdvisor(names.index(from.advisor));
}

}  // namespace

void write(const DemandListView& from, capnp::List<schema::Demand>::Builder to, NameTable& names) {
  for (unsigned i = 0; i < to.size(); ++i) {
    to[i].setLimit(names.index(from[i].limit));
    to[i].setUnits(from[i].units);
  }
}

DemandListView read(capnp::List<schema::Demand>::Reader from, const Names& names) {
  return names.list<DemandListView>(from);
}

void write(const TaskEnqueued& from, schema::TaskEnqueued::Builder to, NameTable& names) {
  to.setId(from.id.value);
  to.setKind(names.index(from.kind));
  to.setQueue(names.index(from.queue));
  to.setPriority(from.priority);
  to.setRunAt(micros(from.run_at));
  to.setTimeout(from.timeout.count());
  to.setBackoffInitial(from.backoff.initial.count());
  to.setBackoffMax(from.backoff.max.count());
  to.setAttemptsMax(from.attempts_max);
  to.setContentHash(from.content_hash);
  to.setKeepsDependencies(from.keeps_dependencies);
  set_text(from.label, [&](unsigned size) { return to.initLabel(size); });
  if (from.tags.size() > 0) {
    auto tags = to.initTags(static_cast<unsigned>(from.tags.size()));
    for (unsigned i = 0; i < tags.size(); ++i) tags.set(i, names.index(from.tags[i]));
  }
  if (!from.dependencies.empty()) {
    auto dependencies = to.initDependencies(static_cast<unsigned>(from.dependencies.size()));
    for (unsigned i = 0; i < dependencies.size(); ++i) {
      dependencies.set(i, from.dependencies[i].value);
    }
  }
  if (!from.payload.empty()) to.setPayload(data(from.payload));
  if (has_terms(from)) write_terms(from, to.initTerms(), names);
}

TaskEnqueued read(schema::TaskEnqueued::Reader from, const Names& names) {
  TaskEnqueued to{.id = TaskId(from.getId()),
                  .kind = names.at(from.getKind()),
                  .queue = names.at(from.getQueue()),
                  .label = view(from.getLabel()),
                  .priority = from.getPriority(),
                  .run_at = time(from.getRunAt()),
                  .timeout = Duration(from.getTimeout()),
                  .backoff = {Duration(from.getBackoffInitial()), Duration(from.getBackoffMax())},
                  .attempts_max = from.getAttemptsMax(),
                  .content_hash = from.getContentHash(),
                  .tags = names.list(in_place<std::uint16_t>(from.getTags())),
                  .dependencies = in_place<TaskId>(from.getDependencies()),
                  .payload = view(from.getPayload())};
  to.keeps_dependencies = from.getKeepsDependencies();
  if (from.hasTerms()) read_terms(from.getTerms(), names, to);
  return to;
}

void write(const TaskReadied& from, schema::TaskReadied::Builder to, NameTable&) {
  to.setId(from.id.value);
}

TaskReadied read(schema::TaskReadied::Reader from, const Names&) { return {TaskId(from.getId())}; }

void write(const TaskStarted& from, schema::Event::Body::Builder to, NameTable& names) {
  if (!from.gpu.empty()) return write_on_gpu(from, to.initTaskStartedOnGpu(), names);
  if (!from.worker.empty()) return write_leased(from, to.initTaskLeased(), names);
  auto start = to.initTaskStarted();
  start.setId(from.id.value);
  start.setAttempt(from.attempt);
  start.setDeadline(micros(from.deadline));
  start.setImplementation(names.index(from.implementation));
  start.setAdvisor(names.index(from.advisor));
}

TaskStarted read(schema::TaskStarted::Reader from, const Names& names) {
  return {.id = TaskId(from.getId()),
          .attempt = from.getAttempt(),
          .deadline = time(from.getDeadline()),
          .implementation = names.at(from.getImplementation()),
          .advisor = names.at(from.getAdvisor())};
}

TaskStarted read(schema::TaskLeased::Reader from, const Names& names) {
  return {.id = TaskId(from.getId()),
          .attempt = from.getAttempt(),
          .deadline = time(from.getDeadline()),
          .worker = names.at(from.getWorker()),
          .lease_time = Duration(from.getLeaseTime()),
          .advisor = names.at(from.getAdvisor())};
}

TaskStarted read(schema::TaskStartedOnGpu::Reader from, const Names& names) {
  return {.id = TaskId(from.getId()),
          .attempt = from.getAttempt(),
          .deadline = time(from.getDeadline()),
          .implementation = names.at(from.getImplementation()),
          .worker = names.at(from.getWorker()),
          .lease_time = Duration(from.getLeaseTime()),
          .advisor = names.at(from.getAdvisor()),
          .gpu = names.at(from.getGpu())};
}

void write(const TaskSucceeded& from, schema::TaskSucceeded::Builder to, NameTable&) {
  to.setId(from.id.value);
  to.setLease(from.lease.value);
  if (!is_plain_success(from.end)) write_end(from.end, to.initEnd());
}

TaskSucceeded read(schema::TaskSucceeded::Reader from, const Names&) {
  return {TaskId(from.getId()), Lease(from.getLease()), read_end(from.getEnd())};
}

void write(const TaskAttemptFailed& from, schema::TaskAttemptFailed::Builder to, NameTable&) {
  to.setId(from.id.value);
  to.setLease(from.lease.value);
  to.setRetryAt(micros(from.retry_at));
  write_end(from.end, to.initEnd());
}

TaskAttemptFailed read(schema::TaskAttemptFailed::Reader from, const Names&) {
  return {TaskId(from.getId()), Lease(from.getLease()), time(from.getRetryAt()),
          read_end(from.getEnd())};
}

void write(const TaskFailed& from, schema::TaskFailed::Builder to, NameTable&) {
  to.setId(from.id.value);
  to.setLease(from.lease.value);
  to.setCrashes(from.crashes);
  write_end(from.end, to.initEnd());
}

TaskFailed read(schema::TaskFailed::Reader from, const Names&) {
  return {TaskId(from.getId()), Lease(from.getLease()), read_end(from.getEnd()), from.getCrashes()};
}

void write(const TaskCancelRequested& from, schema::TaskCancelRequested::Builder to, NameTable&) {
  to.setId(from.id.value);
  set_text(from.reason, [&](unsigned size) { return to.initReason(size); });
}

TaskCancelRequested read(schema::TaskCancelRequested::Reader from, const Names&) {
  return {TaskId(from.getId()), view(from.getReason())};
}

void write(const TaskCancelled& from, schema::TaskCancelled::Builder to, NameTable&) {
  to.setId(from.id.value);
  to.setLease(from.lease.value);
  to.setDependency(from.dependency.value);
  set_text(from.reason, [&](unsigned size) { return to.initReason(size); });
  if (!is_plain_success(from.end)) write_end(from.end, to.initEnd());
}

TaskCancelled read(schema::TaskCancelled::Reader from, const Names&) {
  return {TaskId(from.getId()), Lease(from.getLease()), TaskId(from.getDependency()),
          view(from.getReason()), read_end(from.getEnd())};
}

void write(const TaskHandedBack& from, schema::TaskHandedBack::Builder to, NameTable&) {
  to.setId(from.id.value);
  to.setLease(from.lease.value);
  to.setReason(static_cast<schema::HandBackReason>(from.reason));
  to.setPaced(from.paced);
  to.setCrashes(from.crashes);
  if (!is_plain_success(from.end)) write_end(from.end, to.initEnd());
}

TaskHandedBack read(schema::TaskHandedBack::Reader from, const Names&) {
  auto reason = static_cast<unsigned>(from.getReason());
  KJ_REQUIRE(reason < hand_back_reason_count, "a reason this version does not know");
  return {.id = TaskId(from.getId()),
          .lease = Lease(from.getLease()),
          .reason = static_cast<HandBackReason>(reason),
          .paced = from.getPaced(),
          .crashes = from.getCrashes(),
          .end = read_end(from.getEnd())};
}

void write(const TaskHeld& from, schema::TaskHeld::Builder to, NameTable&) {
  to.setId(from.id.value);
  to.setLease(from.lease.value);
  to.setReason(static_cast<schema::HoldReason>(from.reason));
  to.setOutcome(static_cast<schema::TaskOutcome>(from.outcome));
  to.setStarted(from.started.value);
  to.setEnded(from.ended.value);
}

TaskHeld read(schema::TaskHeld::Reader from, const Names&) {
  auto reason = static_cast<unsigned>(from.getReason());
  KJ_REQUIRE(reason < hold_reason_count, "a reason this version does not know");
  auto outcome = static_cast<unsigned>(from.getOutcome());
  KJ_REQUIRE(outcome < task_outcome_count, "an outcome this version does not know");
  return {.id = TaskId(from.getId()),
          .lease = Lease(from.getLease()),
          .reason = static_cast<HoldReason>(reason),
          .outcome = static_cast<TaskOutcome>(outcome),
          .started = Position(from.getStarted()),
          .ended = Position(from.getEnded())};
}

void write(const TaskReleased& from, schema::TaskReleased::Builder to, NameTable&) {
  to.setId(from.id.value);
}

TaskReleased read(schema::TaskReleased::Reader from, const Names&) {
  return {TaskId(from.getId())};
}

void write(const TaskAccepted& from, schema::TaskAccepted::Builder to, NameTable&) {
  to.setId(from.id.value);
}

TaskAccepted read(schema::TaskAccepted::Reader from, const Names&) {
  return {TaskId(from.getId())};
}

void write(const TasksReranked& from, schema::TasksReranked::Builder to, NameTable&) {
  to.setThrough(micros(from.through));
  to.setLast(from.last.value);
}

TasksReranked read(schema::TasksReranked::Reader from, const Names&) {
  return {.through = time(from.getThrough()), .last = TaskId(from.getLast())};
}

void write(const TaskSnoozed& from, schema::TaskSnoozed::Builder to, NameTable&) {
  to.setId(from.id.value);
  to.setLease(from.lease.value);
  to.setUntil(micros(from.until));
}

TaskSnoozed read(schema::TaskSnoozed::Reader from, const Names&) {
  return {TaskId(from.getId()), Lease(from.getLease()), time(from.getUntil())};
}

void write(const TaskFailedOver& from, schema::TaskFailedOver::Builder to, NameTable& names) {
  to.setId(from.id.value);
  to.setLease(from.lease.value);
  to.setDeadline(micros(from.deadline));
  to.setFrom(names.index(from.from));
  to.setTo(names.index(from.to));
  write_end(from.end, to.initEnd());
}

TaskFailedOver read(schema::TaskFailedOver::Reader from, const Names& names) {
  return {.id = TaskId(from.getId()),
          .lease = Lease(from.getLease()),
          .deadline = time(from.getDeadline()),
          .from = names.at(from.getFrom()),
          .to = names.at(from.getTo()),
          .end = read_end(from.getEnd())};
}

void write(const TaskProgressed& from, schema::TaskProgressed::Builder to, NameTable&) {
  to.setId(from.id.value);
  to.setLease(from.lease.value);
  to.setPermille(from.permille);
  set_text(from.message, [&](unsigned size) { return to.initMessage(size); });
  if (!from.partial.empty()) to.setPartial(data(from.partial));
}

TaskProgressed read(schema::TaskProgressed::Reader from, const Names&) {
  return {TaskId(from.getId()), Lease(from.getLease()), from.getPermille(), view(from.getMessage()),
          view(from.getPartial())};
}

void write(const TaskRedriven& from, schema::TaskRedriven::Builder to, NameTable&) {
  to.setId(from.id.value);
  set_text(from.reason, [&](unsigned size) { return to.initReason(size); });
}

TaskRedriven read(schema::TaskRedriven::Reader from, const Names&) {
  return {TaskId(from.getId()), view(from.getReason())};
}

void write(const TasksForgotten& from, schema::TasksForgotten::Builder to, NameTable&) {
  auto ids = to.initIds(static_cast<unsigned>(from.ids.size()));
  for (unsigned i = 0; i < ids.size(); ++i) ids.set(i, from.ids[i].value);
}

TasksForgotten read(schema::TasksForgotten::Reader from, const Names&) {
  return {in_place<TaskId>(from.getIds())};
}

void write(const TaskRequestCarried& from, schema::TaskRequestCarried::Builder to,
           NameTable& names) {
  write(from.request, to.initRequest(), names);
}

TaskRequestCarried read(schema::TaskRequestCarried::Reader from, const Names& names) {
  return {read(from.getRequest(), names)};
}

void write(const TaskResultCarried& from, schema::TaskResultCarried::Builder to, NameTable&) {
  to.setId(from.id.value);
  if (!is_plain_success(from.end)) write_end(from.end, to.initEnd());
}

TaskResultCarried read(schema::TaskResultCarried::Reader from, const Names&) {
  return {TaskId(from.getId()), read_end(from.getEnd())};
}

}  // namespace almanac::codec
