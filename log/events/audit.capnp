@0xd3a94f1c6be87205;
# The events of the audit domain: who asked for what through which door, and who was turned away.
# Names (principals) are indexes into the frame's table of names.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

enum AuditDoor {
  socket @0;                   # HTTP on the Unix socket
  http @1;                     # HTTP by TCP
  faktory @2;                  # the wire protocol
}

enum RefusalReason {
  host @0;                     # the request named a host that is not known here
  origin @1;                   # it came from a web page that may not ask
  noToken @2;
  unknownToken @3;
  expiredToken @4;
  scope @5;                    # the token may do other things
  user @6;                     # another user of this machine
  path @7;                     # a path that leads out of where it is, or is none
  tokenInUrl @8;               # a secret where logs and histories keep it
  malformed @9;                # two programs could read it in two ways, or nobody can
  tooLarge @10;
  timedOut @11;                # its sender was too slow
  password @12;                # of the wire protocol
  encryption @13;              # no TLS where it has to be, or none that both can speak
  crowded @14;                 # there are too many connections
  failed @15;                  # it was let in, and came to nothing
}

struct RequestAudited {        # it was let in; what it did stands behind
  request @0 :UInt64;          # its number; that of a RequestRefused says that it came to nothing
  door @1 :AuditDoor;
  principal @2 :UInt16;        # "uid 1000", or the name of a token
  action @3 :Text;             # "POST /v1/tasks"
  subject @4 :Text;            # what it is about: the path, or what a connection did
  remote @5 :Text;             # "127.0.0.1:4711"
  count @6 :UInt64;            # so many requests alike, this one included
}

struct RequestRefused {
  request @0 :UInt64;          # 0 = it was not let in
  door @1 :AuditDoor;
  reason @2 :RefusalReason;
  principal @3 :UInt16;        # empty = nobody knows who
  action @4 :Text;
  remote @5 :Text;
  status @6 :UInt16;           # as it was answered; 0 = not at all
  leftOut @7 :UInt64;          # refusals of the same source before this one that are not on record
}
