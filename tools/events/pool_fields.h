// The fields of the pool domain's events.
#pragma once

#include <almanac/log/events/pool.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<InstanceCreated> auto& event) {
  fields("pool", event.pool);
  fields("instance", event.instance);
  fields("is_temporary", event.is_temporary);
}

template <class Fields>
void describe(Fields& fields, Describes<InstanceRetired> auto& event) {
  fields("pool", event.pool);
  fields("instance", event.instance);
  fields.always("reason", event.reason);
  fields("message", event.message);
}

template <class Fields>
void describe(Fields& fields, Describes<InstanceFailed> auto& event) {
  fields("pool", event.pool);
  fields("message", event.message);
}

template <class Fields>
void describe(Fields& fields, Describes<PoolExhausted> auto& event) {
  fields("pool", event.pool);
}

}  // namespace almanac
