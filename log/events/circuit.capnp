@0xb81d64f2a09c573e;
# The events of the circuit domain: services that are not asked while they fail. Names (services)
# are indexes into the frame's table of names.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

enum CircuitCause {
  failureRate @0;              # too many of the requests in the window have failed
  consecutiveFailures @1;
  probeFailed @2;
  probeLate @3;                # a program did not say what became of its probe
  cooledDown @4;
  probesSucceeded @5;
  forced @6;                   # by an operator
  reset @7;                    # by an operator: it goes by its setting again
}

struct CircuitConfigured {     # without probes the setting is lifted
  service @0 :UInt16;
  requestsMin @1 :UInt32;      # in the window, before their failure rate counts
  failurePermille @2 :UInt16;  # at which it opens
  consecutiveFailures @3 :UInt32;  # at which it opens; 0 = at no number
  window @4 :Int64;            # microseconds, as are these
  cooldown @5 :Int64;
  cooldownMax @6 :Int64;
  probes @7 :UInt16;           # that it admits when it is half open
}

struct CircuitObserved {       # what requests of programs came to, gathered; tasks' are their ends
  service @0 :UInt16;
  successes @1 :UInt64;
  failures @2 :UInt64;
  trailingFailures @3 :UInt64; # since the last success
  took @4 :Int64;              # microseconds, all of them together
  probe @5 :UInt64;            # the event that admitted it; 0 = it was no probe
}

struct CircuitProbed {         # a program's request is admitted while the circuit is half open
  service @0 :UInt16;
}

struct CircuitOpened {
  service @0 :UInt16;
  cause @1 :CircuitCause;
  until @2 :Int64;             # 0 = until an operator resets it
  requests @3 :UInt64;         # in the window
  failures @4 :UInt64;         # of them
  consecutiveFailures @5 :UInt32;
  reason @6 :Text;             # an operator's
}

struct CircuitHalfOpened {
  service @0 :UInt16;
  probes @1 :UInt16;
}

struct CircuitClosed {
  service @0 :UInt16;
  cause @1 :CircuitCause;
  paced @2 :UInt64;            # so many starts of its tasks go by the pace of a recovery
  reason @3 :Text;             # an operator's
}
