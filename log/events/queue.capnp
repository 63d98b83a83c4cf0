@0xd6e94b7d25a0f3c2;
# The events of the queue domain.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

struct QueueConfigured {
  queue @0 :UInt16;            # index into the frame's table of names
  slots @1 :UInt32;            # attempts that may run at once; 0 = as many as the engine has
}
