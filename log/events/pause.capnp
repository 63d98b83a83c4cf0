@0xb47f0e2c91d85a36;
# The events of the pause domain.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

enum PauseScope {              # what a pause is of
  queue @0;
  kind @1;
}

struct WorkPaused {            # no attempt begins there any more
  scope @0 :PauseScope;
  name @1 :UInt16;             # index into the frame's table of names
}

struct WorkResumed {
  scope @0 :PauseScope;
  name @1 :UInt16;
}
