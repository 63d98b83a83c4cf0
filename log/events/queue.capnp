@0xd6e94b7d25a0f3c2;
# The events of the queue domain. Durations are microseconds.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

struct QueueConfigured {
  queue @0 :UInt16;            # index into the frame's table of names
  slots @1 :UInt32;            # attempts that may run at once; 0 = as many as the engine has
  order @2 :QueueOrder;        # null = by priority alone
  retention @3 :QueueRetention;  # null = as engines are told
}

struct QueueRetention {        # how long tasks are kept from their end on; 0 = as engines are told,
  succeeded @0 :Int64;         # the largest number = for ever
  failed @1 :Int64;
  cancelled @2 :Int64;
}

enum QueuePolicy {             # which of the ready tasks runs next
  priority @0;                 # the highest first
  fifo @1;                     # the one submitted first
  urgency @2;                  # the highest score first
  deadline @3;                 # the earliest first
  fair @4;                     # shared between owners
}

struct QueueOrder {
  policy @0 :QueuePolicy;
  ageing @1 :Int64;            # a wait that counts as much as one point; 0 = none
  window @2 :Int64;            # before a deadline, in which it presses
  shortWork @3 :Int64;         # estimates up to this are short work
  weights @4 :List(QueueWeight);
}

struct QueueWeight {           # of a part of the score, or of an owner
  name @0 :UInt16;             # index into the frame's table of names
  weight @1 :Int32;
}
