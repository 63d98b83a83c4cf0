// The fields of the advisor domain's events.
#pragma once

#include <almanac/log/events/advisor.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<AdvisorFellBack> auto& event) {
  fields("advisor", event.advisor);
  fields.always("fault", event.fault);
  fields("attempts", event.attempts);
  fields("evidence", event.evidence);
  fields("holds_back", event.holds_back);
}

template <class Fields>
void describe(Fields& fields, Describes<AdvisorReturned> auto& event) {
  fields("advisor", event.advisor);
}

}  // namespace almanac
