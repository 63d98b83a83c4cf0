@0x9a3f60e58c1b7d24;
# The events of the engine itself: who ran, when, and with which settings.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

struct EngineStarted {
  version @0 :Text;
  processId @1 :UInt64;
  slots @2 :UInt32;            # attempts that may run at once, over all queues
  seed @3 :UInt64;             # of everything drawn by chance until the next start
}

struct EngineStopped {}
