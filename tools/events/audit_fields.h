// The fields of the audit domain's events.
#pragma once

#include <almanac/log/events/audit.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<RequestAudited> auto& event) {
  fields("request", event.request);
  fields.always("door", event.door);
  fields("principal", event.principal);
  fields("action", event.action);
  fields("subject", event.subject);
  fields("remote", event.remote);
  fields("count", event.count);
}

template <class Fields>
void describe(Fields& fields, Describes<RequestRefused> auto& event) {
  fields("request", event.request);
  fields.always("door", event.door);
  fields.always("reason", event.reason);
  fields("principal", event.principal);
  fields("action", event.action);
  fields("remote", event.remote);
  fields("status", event.status);
  fields("left_out", event.left_out);
}

}  // namespace almanac
