// The fields of the component domain's events.
#pragma once

#include <almanac/log/events/component.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<ComponentDescribed> auto& event) {
  fields("component", event.component);
  fields("folder", event.folder);
  fields("implementations", event.implementations);
  fields("attempts_max", event.attempts_max);
  fields("backoff_us", event.backoff);
  fields("backoff_max_us", event.backoff_max);
  fields("build_timeout_us", event.build_timeout);
  fields("check_interval_us", event.check_interval);
}

template <class Fields>
void describe(Fields& fields, Describes<ComponentDiagnosed> auto& event) {
  fields("component", event.component);
  fields("implementation", event.implementation);
  fields.always("issue", event.issue);
  fields("evidence", event.evidence);
  fields("version", event.version);
  fields("took_us", event.took);
  fields("trend", event.trend);
  fields("next", event.next);
}

template <class Fields>
void describe(Fields& fields, Describes<ComponentFailed> auto& event) {
  fields("component", event.component);
  fields("implementation", event.implementation);
  fields("reason", event.reason);
}

template <class Fields>
void describe(Fields& fields, Describes<RepairRequested> auto& event) {
  fields("component", event.component);
  fields("implementation", event.implementation);
  fields("strategy", event.strategy);
}

template <class Fields>
void describe(Fields& fields, Describes<ComponentSwitched> auto& event) {
  fields("component", event.component);
  fields("from", event.from);
  fields("to", event.to);
  fields.always("cause", event.cause);
}

template <class Fields>
void describe(Fields& fields, Describes<RepairStarted> auto& event) {
  fields("component", event.component);
  fields("implementation", event.implementation);
  fields.always("issue", event.issue);
  fields.always("strategy", event.strategy);
  fields("attempt", event.attempt);
  fields("deadline", event.deadline);
}

template <class Fields>
void describe(Fields& fields, Describes<RepairEnded> auto& event) {
  fields("component", event.component);
  fields("implementation", event.implementation);
  fields("repair", event.repair);
  fields.always("outcome", event.outcome);
  fields.always("left", event.left);
  fields("took_us", event.took);
  fields("message", event.message);
  fields("next", event.next);
}

}  // namespace almanac
