// The fields of the context domain's events. What is sealed stays so.
#pragma once

#include <almanac/log/events/context.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<ContextChanged> auto& event) {
  fields("user", event.user);
  fields("user_key", event.key);
  fields("field", event.field);
  fields("content", event.content);
}

template <class Fields>
void describe(Fields& fields, Describes<ConversationTurnAdded> auto& event) {
  fields("user", event.user);
  fields("user_key", event.key);
  fields("content", event.content);
}

template <class Fields>
void describe(Fields& fields, Describes<UserForgotten> auto& event) {
  fields("user", event.user);
  fields("user_key", event.key);
}

}  // namespace almanac
