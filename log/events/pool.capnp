@0xd3a1c58e7f2460b9;
# The events of the pool domain: instances that are used by one at a time. Names (pools) are indexes
# into the frame's table of names. Instances are numbered in the order in which their pool made
# them, from 1 each time that a program opens it.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

enum PoolRetirement {
  age @0;
  uses @1;
  slow @2;                     # in use for too long, whether it has come back or not
  error @3;                    # what was reported of it matches a rule
  probe @4;
  discarded @5;                # by its user
  surplus @6;                  # a temporary one, and nobody waited
  closed @7;                   # with its pool
}

struct InstanceCreated {
  pool @0 :UInt16;
  instance @1 :UInt64;
  isTemporary @2 :Bool;        # beyond the pool's size
}

struct InstanceRetired {       # it is used no more
  pool @0 :UInt16;
  instance @1 :UInt64;
  reason @2 :PoolRetirement;
  message @3 :Text;
}

struct InstanceFailed {        # one could not be made, or said no when it was first probed
  pool @0 :UInt16;
  message @1 :Text;
}

struct PoolExhausted {         # somebody waits for long; once until nobody does
  pool @0 :UInt16;
}
