// The events of the context domain as C++ sees them: what programs know of their users. Who a user
// is stands in the clear; what is known of one is sealed with a key that is not in the log.
#pragma once

#include <almanac/log/types.h>

#include <string_view>

namespace almanac {

// One field of it.
struct ContextChanged {
  std::string_view user;
  Bytes key;      // a UserKeyId: which key seals it
  Bytes field;    // a FieldMark: what stands for the field's name
  Bytes content;  // sealed: name and value; empty = the field is gone
};

struct ConversationTurnAdded {
  std::string_view user;
  Bytes key;
  Bytes content;  // sealed: who said it, and what
};

// The key was destroyed.
struct UserForgotten {
  std::string_view user;
  Bytes key;
};

}  // namespace almanac
