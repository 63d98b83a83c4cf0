@0xd09b3a7c52e6f418;
# The events of the model domain: what is loaded into the memory of GPUs, and how that goes. Names
# (models, and GPUs by their identity) are indexes into the frame's table of names. Sizes are in
# bytes, durations in microseconds, times in microseconds since 1970 in UTC.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

enum ModelUnloadCause {
  asked @0;
  room @1;                     # for another model
  critical @2;                 # the memory of its GPU was
  unknown @3;                  # nobody can say whether it is loaded
}

struct ModelRegistered {       # or no longer as it was
  model @0 :UInt16;
  bytes @1 :UInt64;            # of a GPU's memory, as declared
  gpu @2 :UInt16;              # the only one it goes to; "" = any
  alternative @3 :UInt16;      # a smaller model, for want of room; "" = none
  priority @4 :Int32;
  pinned @5 :Bool;
  residency @6 :Int64;         # stays at least so long
  timeout @7 :Int64;           # of a load, and of an unload
  commands @8 :Text;           # a JSON object; "" = the program loads it itself
}

struct ModelChanged {
  model @0 :UInt16;
  pinned @1 :Bool;
  priority @2 :Int32;
}

struct ModelRemoved {
  model @0 :UInt16;
}

struct ModelLoadStarted {
  model @0 :UInt16;
  gpu @1 :UInt16;
  bytes @2 :UInt64;            # kept free for it, until what it takes is known
  deadline @3 :Int64;
}

struct ModelLoaded {
  model @0 :UInt16;
  took @1 :Int64;
}

struct ModelLoadFailed {
  model @0 :UInt16;
  message @1 :Text;
  next @2 :Int64;              # not tried again before
}

struct ModelMeasured {         # what is free is steady again
  model @0 :UInt16;
  bytes @1 :UInt64;            # it has taken; 0 = that cannot be told
}

struct ModelUnloadStarted {
  model @0 :UInt16;
  cause @1 :ModelUnloadCause;
  beneficiary @2 :UInt16;      # the model that room is made for
}

struct ModelUnloaded {
  model @0 :UInt16;
  took @1 :Int64;
}

struct ModelUnloadFailed {     # nobody can say whether it is loaded
  model @0 :UInt16;
  message @1 :Text;
  next @2 :Int64;
}

struct ModelReleased {         # its memory is free
  model @0 :UInt16;
  bytes @1 :UInt64;            # that have come free since the unload began
  isSlow @2 :Bool;             # it has not come free in time, and is not waited for any more
}

struct ModelLost {             # with its GPU
  model @0 :UInt16;
  message @1 :Text;
}

struct ModelChecked {          # of one of which nobody could say
  model @0 :UInt16;
  isLoaded @1 :Bool;
  message @2 :Text;
}

struct ModelUsed {
  model @0 :UInt16;
  uses @1 :UInt64;             # since the event before
  last @2 :Int64;
}

struct ModelDegraded {         # the alternative was used
  model @0 :UInt16;
  alternative @1 :UInt16;
  times @2 :UInt64;            # since the event before
  reason @3 :Text;             # the last time
}
