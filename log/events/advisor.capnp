@0xb7c1e05d94a8f36e;
# The events of the advisor domain: programs that say which of the ready tasks should begin first.
# Names (advisors) are indexes into the frame's table of names. What was begun on advice says so in
# its TaskStarted or TaskLeased.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

enum AdvisorFault {
  unavailable @0;              # none of its processes could be had
  timedOut @1;
  ended @2;                    # its process has ended
  protocol @3;                 # it wrote something else than one answer to what was asked
  refused @4;                  # it has answered with an error
  malformed @5;                # the answer is not of the shape that was asked for
  late @6;                     # it is the answer to an older request
  wrongRequest @7;             # … to one that was never made
  tooMany @8;                  # it names more tasks than there were
  unknownTask @9;              # … one that was not among them
  duplicateTask @10;           # … one twice
  wrongScores @11;             # scores are not numbers, one for each task, that never rise
}

struct AdvisorFellBack {       # from now on the built-in order decides, or nothing begins
  advisor @0 :UInt16;
  fault @1 :AdvisorFault;      # of the last attempt
  attempts @2 :UInt32;         # that failed in a row
  evidence @3 :Text;           # what was last wrong
  holdsBack @4 :Bool;          # nothing begins until it advises again
}

struct AdvisorReturned {       # it advises from now on, for the first time of this engine or again
  advisor @0 :UInt16;
}
