@0xc3a7f0415d9be268;
# The events of the limit domain. Names (limits, queues, kinds) are indexes into the frame's table
# of names.

using Cxx = import "/capnp/c++.capnp";
using Task = import "task.capnp";
$Cxx.namespace("almanac::schema");

struct LimitConfigured {       # with nothing set the limit is lifted
  name @0 :UInt16;
  units @1 :UInt64;            # in use at once; 0 = any number
  perMinute @2 :UInt32;        # tokens that come back; 0 = at no rate
  burst @3 :UInt32;            # tokens at most
}

struct TokensTaken {           # by the program, without a task
  limit @0 :UInt16;
  tokens @1 :UInt32;
  until @2 :Int64;             # 0, or the service has said that there are none before
}

enum LaneBlock {               # what the first task of a lane waits for
  slots @0;                    # of the engine
  queueSlots @1;
  units @2;                    # of a limit
  tokens @3;                   # of a limit
  tooLarge @4;                 # more than the limit has
  behind @5;                   # what is left of a limit is kept for a task in front of it
  handler @6;                  # nothing in this engine runs its kind
  unavailable @7;              # nothing that runs its kind can be used
  circuit @8;                  # of a service
  version @9;                  # what runs its kind runs other versions
  model @10;                   # not loaded, or gives way to another
  gpuMemory @11;               # no GPU has as much as it asks for
}

struct LaneBlocked {           # the reason of a lane has changed
  queue @0 :UInt16;
  kind @1 :UInt16;
  demands @2 :List(Task.Demand);
  reason @3 :LaneBlock;
  limit @4 :UInt16;            # the one that is short
  next @5 :Int64;              # when it can change at the earliest; 0 = when something ends
  version @6 :UInt32;          # of its tasks
}
