// The fields of the schedule domain's events.
#pragma once

#include <almanac/log/events/schedule.h>
#include <almanac/tools/events/field_names.h>
#include <almanac/tools/events/task_fields.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<ScheduleDefined> auto& event) {
  fields.always("schedule", event.schedule);
  fields("recurrence", event.recurrence);
  fields.always("missed", event.missed);
  fields("window_us", event.window);
  fields.always("overlap", event.overlap);
  fields("next", event.next);
  describe_request(fields, event.task);
}

template <class Fields>
void describe(Fields& fields, Describes<SchedulePaused> auto& event) {
  fields.always("schedule", event.schedule);
  fields("reason", event.reason);
}

template <class Fields>
void describe(Fields& fields, Describes<ScheduleResumed> auto& event) {
  fields.always("schedule", event.schedule);
  fields("next", event.next);
}

template <class Fields>
void describe(Fields& fields, Describes<ScheduleRemoved> auto& event) {
  fields.always("schedule", event.schedule);
}

template <class Fields>
void describe(Fields& fields, Describes<ScheduleFired> auto& event) {
  fields.always("schedule", event.schedule);
  fields("instant", event.instant);
  fields.always("task", event.task);
  fields("next", event.next);
}

template <class Fields>
void describe(Fields& fields, Describes<ScheduleQueued> auto& event) {
  fields.always("schedule", event.schedule);
  fields("instant", event.instant);
  fields("next", event.next);
}

template <class Fields>
void describe(Fields& fields, Describes<ScheduleSkipped> auto& event) {
  fields.always("schedule", event.schedule);
  fields.always("reason", event.reason);
  fields.always("count", event.count);
  fields("first", event.first);
  fields("last", event.last);
  fields("next", event.next);
}

}  // namespace almanac
