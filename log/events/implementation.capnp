@0x9d27c6e05a4b81f3;
# The events of the implementation domain: several ways to run the tasks of one kind. Names (kinds,
# implementations) are indexes into the frame's table of names.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

struct RankedImplementation {
  name @0 :UInt16;
  attempts @1 :UInt32;         # failed attempts of a task after which the next one is used
}

struct ImplementationsSet {    # from now on; none = the kind has one handler without a name
  kind @0 :UInt16;
  implementations @1 :List(RankedImplementation);  # in order of preference
  versionMin @2 :UInt32;       # of tasks that are run; 0 = from the first on
  versionMax @3 :UInt32;       # 0 = whatever comes
}

struct ImplementationLeft {    # its probe said no: no attempt begins by it
  kind @0 :UInt16;
  implementation @1 :UInt16;
  reason @2 :Text;
}

struct ImplementationReturned {
  kind @0 :UInt16;
  implementation @1 :UInt16;
}
