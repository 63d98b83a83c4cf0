// The fields of the implementation domain's events.
#pragma once

#include <almanac/log/events/implementation.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<ImplementationsSet> auto& event) {
  fields("kind", event.kind);
  fields("implementations", event.implementations);
  fields("version_min", event.versions.min);
  fields("version_max", event.versions.max);
}

template <class Fields>
void describe(Fields& fields, Describes<ImplementationLeft> auto& event) {
  fields("kind", event.kind);
  fields("implementation", event.implementation);
  fields("reason", event.reason);
}

template <class Fields>
void describe(Fields& fields, Describes<ImplementationReturned> auto& event) {
  fields("kind", event.kind);
  fields("implementation", event.implementation);
}

}  // namespace almanac
