// The fields of the group domain's events.
#pragma once

#include <almanac/log/events/group.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<GroupOpened> auto& event) {
  fields.always("group", event.id);
  fields("name", event.name);
}

template <class Fields>
void describe(Fields& fields, Describes<GroupClosed> auto& event) {
  fields.always("group", event.id);
}

}  // namespace almanac
