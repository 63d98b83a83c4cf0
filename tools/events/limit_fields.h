// The fields of the limit domain's events.
#pragma once

#include <almanac/log/events/limit.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<LimitConfigured> auto& event) {
  fields("limit", event.name);
  fields("units", event.units);
  fields("per_minute", event.per_minute);
  fields("burst", event.burst);
}

template <class Fields>
void describe(Fields& fields, Describes<TokensTaken> auto& event) {
  fields("limit", event.limit);
  fields.always("tokens", event.tokens);
  fields("until", event.until);
}

template <class Fields>
void describe(Fields& fields, Describes<LaneBlocked> auto& event) {
  fields("queue", event.queue);
  fields("kind", event.kind);
  fields("demands", event.demands);
  fields("version", event.version);
  fields.always("reason", event.reason);
  fields("limit", event.limit);
  fields("next", event.next);
}

}  // namespace almanac
