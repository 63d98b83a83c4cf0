@0xb7e20c94d15f38a6;
# The events of the memory domain. Names (kinds, users, tags, fields) are indexes into the frame's
# table of names. Times are microseconds since 1970.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

struct MemoryContent {
  content @0 :Text;
  summary @1 :Text;
  embedding @2 :Data;          # numbers of 32 bits, little-endian
  metadata @3 :Text;           # a JSON object
}

struct SealedMemory {          # what an entry of a user says, its tags too
  key @0 :Data;                # 16 bytes: which key seals it
  content @1 :Data;            # sealed with that key, for this entry of this user
  dimension @2 :UInt32;        # of its embedding
}

struct MemoryStored {
  id @0 :UInt64;
  kind @1 :UInt16;
  user @2 :UInt16;
  said @3 :MemoryContent;
  tags @4 :List(UInt16);
  significance @5 :UInt32;     # in millionths
  expiresAt @6 :Int64;         # 0 = it does not
  task @7 :UInt64;             # with whose end it was stored
  sealed @8 :SealedMemory;     # where there is one, nothing is in said and tags
}

struct MemoryUpdated {
  id @0 :UInt64;
  changed @1 :List(UInt16);    # names of fields; what others have here is nothing
  said @2 :MemoryContent;
  tags @3 :List(UInt16);
  significance @4 :UInt32;
  expiresAt @5 :Int64;
  sealed @6 :SealedMemory;
}

enum ForgetCause {
  asked @0;
  expired @1;
}

struct MemoryForgotten {
  id @0 :UInt64;
  cause @1 :ForgetCause;
  reason @2 :Text;
}
