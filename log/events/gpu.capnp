@0xb4c2f19a7de83065;
# The events of the GPU domain: devices and their memory. Devices are named by their identity (32
# hexadecimal digits in groups), as indexes into the frame's table of names. Heaps go by their place
# in the device's list. Sizes are in bytes.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

enum GpuKind {
  other @0;
  integrated @1;
  discrete @2;
  virtual @3;
  cpu @4;
}

enum GpuAbsence {
  removed @0;                  # the driver no longer names it
  lost @1;                     # it is there and does not work
  driver @2;                   # no driver answers, or has any device
}

enum GpuLevel {
  normal @0;
  warning @1;
  critical @2;
}

struct GpuDeviceAppeared {     # or is back, or is no longer as it was
  device @0 :UInt16;
  name @1 :UInt16;
  kind @2 :GpuKind;
  sizes @3 :List(UInt64);      # of its heaps
  local @4 :UInt32;            # a bit for each heap that is memory of the device itself
  isEstimate @5 :Bool;         # the driver does not say what is used
}

struct GpuDeviceVanished {
  device @0 :UInt16;
  absence @1 :GpuAbsence;
  message @2 :Text;
}

struct GpuSampled {
  device @0 :UInt16;
  own @1 :List(UInt64);        # used by the process that looks, of each heap
  budget @2 :List(UInt64);     # what it may use, with what it uses
}

struct GpuAlertRaised {        # also from critical back to warning
  device @0 :UInt16;
  heap @1 :UInt32;
  level @2 :GpuLevel;
  before @3 :GpuLevel;
}

struct GpuAlertCleared {
  device @0 :UInt16;
  heap @1 :UInt32;
}
