@0xa3d5c81f6e92b047;
# The events of the group domain: tasks that belong together, whichever submission they come with.
# A task names its group and the one it waits for in TaskTerms.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

struct GroupOpened {
  id @0 :UInt64;               # dense from 1
  name @1 :Text;               # of no other group that is kept
}

struct GroupClosed {           # takes no more tasks
  id @0 :UInt64;
}
