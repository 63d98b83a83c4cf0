// The fields of the task domain's events.
#pragma once

#include <almanac/log/events/task.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe_end(Fields& fields, Describes<AttemptEnd> auto& end) {
  fields("code", end.code);
  fields("message", end.message);
  fields("result", end.result);
  fields("output", end.output);
  fields("output_dropped", end.output_dropped);
  fields("permanent", end.permanent);
}

// What a task is asked to be, without its number.
template <class Fields>
void describe_request(Fields& fields, Describes<TaskEnqueued> auto& event) {
  fields("label", event.label);
  fields("kind", event.kind);
  fields("queue", event.queue);
  fields("priority", event.priority);
  fields("run_at", event.run_at);
  fields("timeout_us", event.timeout);
  fields("attempts_max", event.attempts_max);
  fields("backoff_us", event.backoff.initial);
  fields("backoff_max_us", event.backoff.max);
  fields("content_hash", event.content_hash);
  fields("tags", event.tags);
  fields("dependencies", event.dependencies);
  fields("conditions", event.conditions);
  fields("owner", event.owner);
  fields("deadline", event.deadline);
  fields("estimate_us", event.estimate);
  fields("expires_at", event.expires_at);
  fields("demands", event.demands);
  fields("retry_policy", event.retry_policy);
  fields("crashes_max", event.crashes_max);
  fields("keeps_dependencies", event.keeps_dependencies);
  fields("identity", event.unique.identity);
  fields("unique_until", event.unique.until);
  fields("unique_within_us", event.unique.within);
  fields("version", event.version);
  fields("group", event.group);
  fields("after_group", event.after_group);
  fields("after_group_condition", event.after_group_condition);
  fields("payload", event.payload);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskEnqueued> auto& event) {
  fields.always("task", event.id);
  describe_request(fields, event);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskReadied> auto& event) {
  fields.always("task", event.id);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskStarted> auto& event) {
  fields.always("task", event.id);
  fields("attempt", event.attempt);
  fields("deadline", event.deadline);
  fields("implementation", event.implementation);
  fields("worker", event.worker);
  fields("lease_time_us", event.lease_time);
  fields("advisor", event.advisor);
  fields("gpu", event.gpu);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskSucceeded> auto& event) {
  fields.always("task", event.id);
  fields("lease", event.lease);
  fields.always("status", event.end.status);
  describe_end(fields, event.end);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskAttemptFailed> auto& event) {
  fields.always("task", event.id);
  fields("lease", event.lease);
  fields.always("status", event.end.status);
  describe_end(fields, event.end);
  fields("retry_at", event.retry_at);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskFailed> auto& event) {
  fields.always("task", event.id);
  fields("lease", event.lease);
  fields.always("status", event.end.status);
  describe_end(fields, event.end);
  fields("crashes", event.crashes);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskCancelRequested> auto& event) {
  fields.always("task", event.id);
  fields("reason", event.reason);
}

// Its status says something only of a task that was running, and succeeding is not it.
template <class Fields>
void describe(Fields& fields, Describes<TaskCancelled> auto& event) {
  fields.always("task", event.id);
  fields("reason", event.reason);
  fields("dependency", event.dependency);
  fields("lease", event.lease);
  fields("status", event.end.status);
  describe_end(fields, event.end);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskHandedBack> auto& event) {
  fields.always("task", event.id);
  fields("lease", event.lease);
  fields.always("reason", event.reason);
  fields("paced", event.paced);
  fields("crashes", event.crashes);
  fields("status", event.end.status);
  describe_end(fields, event.end);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskHeld> auto& event) {
  fields.always("task", event.id);
  fields("lease", event.lease);
  fields.always("reason", event.reason);
  fields.always("outcome", event.outcome);
  fields("started", event.started);
  fields("ended", event.ended);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskReleased> auto& event) {
  fields.always("task", event.id);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskAccepted> auto& event) {
  fields.always("task", event.id);
}

template <class Fields>
void describe(Fields& fields, Describes<TasksReranked> auto& event) {
  fields.always("through", event.through);
  fields("last", event.last);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskSnoozed> auto& event) {
  fields.always("task", event.id);
  fields("lease", event.lease);
  fields("until", event.until);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskFailedOver> auto& event) {
  fields.always("task", event.id);
  fields("lease", event.lease);
  fields("deadline", event.deadline);
  fields("from", event.from);
  fields("to", event.to);
  fields.always("status", event.end.status);
  describe_end(fields, event.end);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskProgressed> auto& event) {
  fields.always("task", event.id);
  fields("lease", event.lease);
  fields("permille", event.permille);
  fields("message", event.message);
  fields("partial", event.partial);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskRequestCarried> auto& event) {
  describe(fields, event.request);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskResultCarried> auto& event) {
  fields.always("task", event.id);
  fields.always("status", event.end.status);
  describe_end(fields, event.end);
}

template <class Fields>
void describe(Fields& fields, Describes<TaskRedriven> auto& event) {
  fields.always("task", event.id);
  fields("reason", event.reason);
}

template <class Fields>
void describe(Fields& fields, Describes<TasksForgotten> auto& event) {
  fields("tasks", event.ids);
}

}  // namespace almanac
