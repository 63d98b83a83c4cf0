@0x8f2c6e91d4b7a035;
# The events of the schedule domain: tasks that are enqueued again and again. Times are microseconds
# since 1970 in UTC, 0 is "not set". A schedule's name is an index into the frame's table of names.
# An instant is a time at which the schedule fires by its recurrence, and with the schedule the
# identity of that firing. Ordinals are never reused; fields are only added.

using Cxx = import "/capnp/c++.capnp";
using Task = import "task.capnp";
$Cxx.namespace("almanac::schema");

enum MissedPolicy {            # what becomes of instants that nobody was there for
  skip @0;
  once @1;                     # the newest of them fires
  all @2;                      # those within a window fire
}

enum OverlapPolicy {           # and of those at which the task of the one before has not ended
  allow @0;
  skip @1;
  queue @2;                    # it fires when that one has ended
  replace @3;                  # that one is cancelled
}

struct ScheduleDefined {       # from now on, whether it is new or was another one
  schedule @0 :UInt16;
  recurrence @1 :Text;         # "daily at 02:30 Europe/Paris"
  missed @2 :MissedPolicy;
  window @3 :Int64;            # microseconds; of `all`
  overlap @4 :OverlapPolicy;
  next @5 :Int64;              # the first instant
  task @6 :Task.TaskEnqueued;  # what is enqueued, without a number
}

struct SchedulePaused {
  schedule @0 :UInt16;
  reason @1 :Text;
}

struct ScheduleResumed {
  schedule @0 :UInt16;
  next @1 :Int64;
}

struct ScheduleRemoved {
  schedule @0 :UInt16;
}

struct ScheduleFired {         # the next event of the same batch enqueues the task
  schedule @0 :UInt16;
  instant @1 :Int64;
  task @2 :UInt64;
  next @3 :Int64;              # the instant behind all that were decided
}

struct ScheduleQueued {        # the instant fires when the task of the one before has ended
  schedule @0 :UInt16;
  instant @1 :Int64;
  next @2 :Int64;
}

enum SkipReason {
  missed @0;                   # nobody was there for them
  overlap @1;                  # the task of the one before had not ended
  queueFull @2;                # as many were queued as may be
  replaced @3;                 # queued, and a newer one came
  paused @4;
  removed @5;                  # queued, and the schedule was removed
}

struct ScheduleSkipped {       # instants in a row that never fire
  schedule @0 :UInt16;
  reason @1 :SkipReason;
  count @2 :UInt64;
  first @3 :Int64;
  last @4 :Int64;
  next @5 :Int64;
}
