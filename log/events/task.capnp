@0xb2d1c9a0c4f7e611;
# The events of the task domain. Times are microseconds since 1970 in UTC, 0 is "not set".
# Durations are microseconds. Names (kind, queue, tags) are indexes into the frame's table of
# names. Ordinals are never reused; fields are only added.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

struct TaskEnqueued {
  id @0 :UInt64;
  kind @1 :UInt16;
  queue @2 :UInt16;
  priority @3 :Int32;          # larger runs first
  runAt @4 :Int64;             # not before this time
  timeout @5 :Int64;           # of one attempt; 0 = none
  backoffInitial @6 :Int64;
  backoffMax @7 :Int64;
  attemptsMax @8 :UInt16;
  contentHash @9 :UInt64;      # what an idempotency key stands for, XXH3 of the request
  label @10 :Text;             # what people call it
  tags @11 :List(UInt16);
  dependencies @12 :List(UInt64);
  payload @13 :Data;
  terms @14 :TaskTerms;        # null when it has none of them
  keepsDependencies @15 :Bool; # they are not forgotten before it is
}

struct TaskTerms {             # what most tasks do without
  owner @0 :UInt16;            # for whom it runs; 0 = nobody in particular
  deadline @1 :Int64;          # when it should have ended
  estimate @2 :Int64;          # how long an attempt is thought to take
  expiresAt @3 :Int64;         # from then on it is not begun any more
  demands @4 :List(Demand);
  conditions @5 :List(UInt8);  # a DependencyCondition for each dependency; empty = all success
  retryPolicy @6 :RetryPolicy;
  crashesMax @7 :UInt16;       # with the last of them it fails; 0 = 3
  unique @8 :Uniqueness;       # null when there may be any number of it
  version @9 :UInt32;          # of its kind; 0 = whatever runs the kind runs it
  group @10 :UInt64;           # it belongs to; 0 = none
  afterGroup @11 :UInt64;      # it waits for; 0 = none
  afterGroupCondition @12 :DependencyCondition;
}

struct Uniqueness {            # in the way of another task of its identity
  identityHigh @0 :UInt64;     # XXH3-128 of what it is known by
  identityLow @1 :UInt64;
  until @2 :UniqueUntil;
  within @3 :Int64;            # and for so long after it was enqueued
}

enum UniqueUntil {             # it …
  ended @0;
  started @1;
  succeeded @2;
  enqueued @3;
}

struct Demand {                # so much of a limit, while it runs
  limit @0 :UInt16;
  units @1 :UInt32;
}

enum DependencyCondition {     # of a dependency: how it must have ended
  success @0;                  # or the task is cancelled
  successInTheEnd @1;          # it waits on when the dependency failed
  end @2;                      # however
  failure @3;                  # or the task is cancelled
}

enum RetryPolicy {             # the wait before another attempt: how it grows, whether it is drawn
  exponentialJitter @0;
  exponential @1;
  fixed @2;
  fixedJitter @3;
}

struct TaskReadied {           # its time has come
  id @0 :UInt64;
}

struct TaskStarted {           # the position of this event is the lease's fencing token
  id @0 :UInt64;
  attempt @1 :UInt32;
  deadline @2 :Int64;
  implementation @3 :UInt16;   # index into the frame's table of names; 0 = its kind has no others
  advisor @4 :UInt16;          # on whose advice it began now; 0 = nobody's
}

struct TaskLeased {            # TaskStarted, at a worker elsewhere
  id @0 :UInt64;
  attempt @1 :UInt32;
  worker @2 :UInt16;           # index into the frame's table of names
  deadline @3 :Int64;
  leaseTime @4 :Int64;         # of silence, after which the task is handed back
  advisor @5 :UInt16;          # as in TaskStarted
}

struct TaskStartedOnGpu {      # TaskStarted or TaskLeased of a task that has memory of a GPU
  id @0 :UInt64;
  attempt @1 :UInt32;
  gpu @2 :UInt16;              # index into the frame's table of names; that has what it asks for
  worker @3 :UInt16;           # as in TaskLeased; 0 = the engine itself
  deadline @4 :Int64;
  leaseTime @5 :Int64;
  implementation @6 :UInt16;   # as in TaskStarted
  advisor @7 :UInt16;
}

enum AttemptStatus {           # how one attempt ended
  succeeded @0;
  error @1;                    # the handler reported a failure
  exited @2;                   # a command ended with a code other than 0
  signaled @3;                 # a command was ended by a signal
  timedOut @4;
  notStarted @5;               # a command could not be started
  crashed @6;                  # the engine, or its worker, died with it
}

struct AttemptEnd {
  status @0 :AttemptStatus;
  code @1 :Int32;              # exit code or signal number
  outputDropped @2 :UInt64;    # bytes beyond the cap
  message @3 :Text;
  result @4 :Data;
  output @5 :Data;
  permanent @6 :Bool;          # another attempt would fail as well
}

struct TaskSucceeded {
  id @0 :UInt64;
  lease @1 :UInt64;
  end @2 :AttemptEnd;
}

struct TaskAttemptFailed {     # and will be tried again
  id @0 :UInt64;
  lease @1 :UInt64;
  retryAt @2 :Int64;
  end @3 :AttemptEnd;
}

struct TaskFailed {            # for good, or until it is re-driven
  id @0 :UInt64;
  lease @1 :UInt64;
  end @2 :AttemptEnd;
  crashes @3 :UInt32;          # the task's, when it failed because of them; else 0
}

struct TaskCancelRequested {   # of a running task
  id @0 :UInt64;
  reason @1 :Text;
}

struct TaskCancelled {
  id @0 :UInt64;
  lease @1 :UInt64;            # 0 when it was not running
  dependency @2 :UInt64;       # the task whose end made this one pointless; 0 when asked for
  reason @3 :Text;
  end @4 :AttemptEnd;          # when it was running
}

enum HandBackReason {
  stopping @0;                 # the engine, or its worker, stopped before the attempt ended
  engineDied @1;               # the engine that held the lease is gone
  forked @2;                   # it goes on in the log this one branched off from
  crashed @3;                  # its process was ended by a signal that was not ours
  silent @4;                   # its worker gave no sign of life for the time of the lease
}

struct TaskHandedBack {        # the attempt does not count
  id @0 :UInt64;
  lease @1 :UInt64;
  reason @2 :HandBackReason;
  paced @3 :Bool;              # one of many: begun again at the pace of a recovery
  crashes @4 :UInt32;          # the task's so far, when this is one; else 0
  end @5 :AttemptEnd;          # of a crash
}

enum HoldReason {
  restored @0;                 # it went on in the log this one was restored from
  paused @1;                   # somebody asked for it
}

enum TaskOutcome {            # how a task ended elsewhere, as far as that is known
  unknown @0;
  succeeded @1;
  failed @2;
  cancelled @3;
}

struct TaskHeld {              # under review: not run until somebody has decided
  id @0 :UInt64;
  lease @1 :UInt64;            # 0 when it was not running
  reason @2 :HoldReason;
  outcome @3 :TaskOutcome;
  started @4 :UInt64;          # positions in the other log: its last start, 0 = none is known
  ended @5 :UInt64;            # and its end
}

struct TaskReleased {          # runs as if it had not been held
  id @0 :UInt64;
}

struct TaskAccepted {          # counts as succeeded without running again
  id @0 :UInt64;
}

struct TasksReranked {         # ready tasks take the places that time has given them
  through @0 :Int64;           # those whose moment came before this one
  last @1 :UInt64;             # and of those whose moment it is, up to this number; 0 = all
}

struct TaskSnoozed {           # the attempt asked to be made again later, and does not count
  id @0 :UInt64;
  lease @1 :UInt64;
  until @2 :Int64;
}

struct TaskProgressed {        # how far the attempt is that runs
  id @0 :UInt64;
  lease @1 :UInt64;
  permille @2 :UInt16;
  message @3 :Text;
  partial @4 :Data;            # of the result
}

struct TaskRedriven {          # a failed task runs again, its failures and crashes forgiven
  id @0 :UInt64;
  reason @1 :Text;
}

struct TasksForgotten {        # ended long ago: no longer part of the state
  ids @0 :List(UInt64);        # falling: none before those that depend on it
}

struct TaskRequestCarried {    # of one that may still run: written again, nearer to the end
  request @0 :TaskEnqueued;
}

struct TaskResultCarried {     # of one that has ended: others depend on it, or it failed
  id @0 :UInt64;
  end @1 :AttemptEnd;
}

struct TaskFailedOver {        # another implementation goes on; the position is its lease's token
  id @0 :UInt64;
  lease @1 :UInt64;            # of what has failed
  deadline @2 :Int64;
  from @3 :UInt16;             # indexes into the frame's table of names
  to @4 :UInt16;
  end @5 :AttemptEnd;
}
