@0xc4b81f6e93d25a07;
# The events of the context domain: what programs know of their users. Who a user is stands in the
# clear; what is known of one is sealed with a key that is not in the log.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

struct ContextChanged {        # one field of it
  user @0 :Text;
  key @1 :Data;                # 16 bytes: which key seals it
  field @2 :Data;              # 16 bytes: what stands for the field's name
  content @3 :Data;            # sealed: name and value. Empty = the field is gone
}

struct ConversationTurnAdded {
  user @0 :Text;
  key @1 :Data;
  content @2 :Data;            # sealed: who said it, and what
}

struct UserForgotten {         # the key was destroyed
  user @0 :Text;
  key @1 :Data;
}
