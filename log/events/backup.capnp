@0xc41f7a9be2d05836;
# The events of the backup domain: the jobs that an engine does by itself, and how each run of them
# went. Times are microseconds since 1970 in UTC, 0 is "not set"; `took` is microseconds. A job's
# name is an index into the frame's table of names. Ordinals are never reused; fields are only
# added.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

enum BackupAction {
  snapshot @0;
  drill @1;
  prune @2;
}

struct BackupScheduled {       # from now on; a job that is scheduled anew begins anew
  job @0 :UInt16;
  action @1 :BackupAction;
  schedule @2 :Text;           # "every 15 minutes"
  repository @3 :Text;         # its folder
  next @4 :Int64;              # when it is due
}

struct BackupUnscheduled {     # no engine does it any more
  job @0 :UInt16;
}

struct BackupStarted {         # a run, which is the job and the time it was due
  job @0 :UInt16;
  due @1 :Int64;
  next @2 :Int64;              # when the job is due again
  missed @3 :UInt64;           # times it was due before `due` and was not done
  missedSince @4 :Int64;       # the first of them
}

struct BackupRun {
  job @0 :UInt16;
  due @1 :Int64;
  took @2 :Int64;
}

struct SnapshotMade {
  run @0 :BackupRun;
  snapshot @1 :UInt64;         # its number
  through @2 :UInt64;          # the last position in it
  frameBytes @3 :UInt64;       # of the frames that were new, as they stand in the log
  fileBytes @4 :UInt64;        # written for them
}

struct SnapshotSkipped {       # nothing has happened since the newest one but backups
  run @0 :BackupRun;
  snapshot @1 :UInt64;         # the newest
}

struct SnapshotsPruned {
  run @0 :BackupRun;
  snapshots @1 :UInt64;        # that went, and
  files @2 :UInt64;
  bytes @3 :UInt64;
}

struct DrillPassed {
  run @0 :BackupRun;
  snapshot @1 :UInt64;
  at @2 :UInt64;               # the position that was restored
  frameBytes @3 :UInt64;       # of the log that was made
  fileBytes @4 :UInt64;        # read for it
  restoreTook @5 :Int64;       # of `took`, the restore alone
}

struct BackupFailed {          # whatever was to be done
  run @0 :BackupRun;
  code @1 :Text;               # of the error: "io", "conflict" …
  message @2 :Text;
}
