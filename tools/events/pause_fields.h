// The fields of the pause domain's events.
#pragma once

#include <almanac/log/events/pause.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<WorkPaused> auto& event) {
  fields.always("scope", event.scope);
  fields("name", event.name);
}

template <class Fields>
void describe(Fields& fields, Describes<WorkResumed> auto& event) {
  fields.always("scope", event.scope);
  fields("name", event.name);
}

}  // namespace almanac
