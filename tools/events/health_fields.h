// The fields of the health domain's events.
#pragma once

#include <almanac/log/events/health.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<HealthChanged> auto& event) {
  fields.always("from", event.from);
  fields.always("to", event.to);
  fields("reasons", event.reasons);
}

}  // namespace almanac
