@0x9d2f6c81b7a43e05;
# The events of the component domain: what an engine keeps in working order, what was found wrong
# with it, and what was done about that. Names (components, implementations) are indexes into the
# frame's table of names; times are microseconds since 1970 in UTC, 0 is "not set".

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

enum ComponentIssue {
  none @0;
  notBuilt @1;
  buildFailed @2;
  missingDependencies @3;
  incompatibleVersion @4;
  corruptBinary @5;
  missingToolchain @6;
  permissionError @7;
  outOfMemory @8;
  unexplained @9;              # its probe says no, and no rule says why
}

enum RepairStrategy {
  build @0;
  cleanBuild @1;
  installDependencies @2;
  rebuild @3;
  installToolchain @4;
  fixPermissions @5;
  freeMemory @6;
  restore @7;                  # what an earlier build of the same sources made
}

enum RepairOutcome {
  done @0;                     # what was to be run has run well
  failed @1;
  timedOut @2;
  interrupted @3;              # the engine stopped
  impossible @4;               # there was nothing to do it with: no attempt
}

enum SwitchCause {
  preferred @0;                # one that is preferred can be used
  fallback @1;                 # the one that was used cannot
  forced @2;                   # by an operator
  released @3;                 # by an operator: by order of preference again
}

enum HealthTrend {
  steady @0;
  slower @1;                   # its probe takes far longer than it did
  failingMore @2;              # it fails at shrinking intervals
}

struct DescribedImplementation {
  name @0 :UInt16;
  traits @1 :UInt32;           # bits 0-15: the strategies it allows; behind them its kind
}

struct ComponentDescribed {    # by an engine when it starts: this is what it keeps
  component @0 :UInt16;
  folder @1 :Text;
  implementations @2 :List(DescribedImplementation);  # in order of preference
  attemptsMax @3 :UInt16;
  backoff @4 :Int64;           # microseconds, as are these
  backoffMax @5 :Int64;
  buildTimeout @6 :Int64;
  checkInterval @7 :Int64;
}

struct ComponentDiagnosed {
  component @0 :UInt16;
  implementation @1 :UInt16;
  issue @2 :ComponentIssue;
  evidence @3 :Text;           # what was seen that says so
  version @4 :Text;            # that its probe gave
  took @5 :Int64;
  trend @6 :HealthTrend;
  next @7 :Int64;              # when it is looked at again
}

struct ComponentFailed {       # in use
  component @0 :UInt16;
  implementation @1 :UInt16;
  reason @2 :Text;
}

struct ComponentSwitched {
  component @0 :UInt16;
  from @1 :UInt16;             # empty = none, as is
  to @2 :UInt16;
  cause @3 :SwitchCause;
}

struct RepairRequested {       # by an operator: its attempts begin anew
  component @0 :UInt16;
  implementation @1 :UInt16;
  strategy @2 :RepairStrategy;
  hasStrategy @3 :Bool;        # else the engine chooses
}

struct RepairStarted {
  component @0 :UInt16;
  implementation @1 :UInt16;
  issue @2 :ComponentIssue;
  strategy @3 :RepairStrategy;
  attempt @4 :UInt16;
  deadline @5 :Int64;
}

struct RepairEnded {
  component @0 :UInt16;
  implementation @1 :UInt16;
  repair @2 :UInt64;           # the event that started it
  outcome @3 :RepairOutcome;
  left @4 :ComponentIssue;     # as it was diagnosed afterwards
  took @5 :Int64;
  message @6 :Text;
  next @7 :Int64;              # when the next attempt begins; 0 = none does
}
