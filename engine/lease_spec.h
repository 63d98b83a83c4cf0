// What a worker elsewhere says and hears: a program that is no handler and no command of the
// engine, and runs tasks under leases that it keeps alive (Engine::lease).
#pragma once

#include <almanac/log/events/implementation.h>
#include <almanac/log/fencing_token.h>
#include <almanac/log/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace almanac {

// A value; owns everything.
struct LeaseSpec {
  std::string worker;               // its name, as it is on record
  std::vector<std::string> kinds;   // what it can run; none = any kind but commands
  VersionRange versions = {};       // of all of these
  std::vector<std::string> queues;  // from which; none = from all
  std::uint32_t tasks_max = 1;      // in one answer
  // So long it may be silent about a task. Then that is handed back, as after a crash.
  Duration lease_time = std::chrono::seconds(30);
  // So long it waits for the first one: 0 = not at all.
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
};

// The lease of one attempt, by which its worker speaks of it.
struct HeldLease {
  TaskId id;
  FencingToken token;
  bool operator==(const HeldLease&) const = default;
};

// An attempt that has begun. A value; owns everything.
struct LeasedTask {
  HeldLease lease;
  std::uint32_t attempt = 0;  // 1, 2, 3 …
  Time deadline;              // not set = none
  Duration lease_time{0};
  std::string kind;
  std::string queue;
  std::string label;
  std::uint32_t version = 0;  // of its kind; 0 = any
  std::string payload;
  // Of those it depends on, as commands are shown it (dependency_results.h); empty = of none.
  std::string dependencies;
};

// What a sign of life is answered.
enum class LeaseStatus : std::uint8_t {
  held,       // its time begins anew
  cancelled,  // the task is to be stopped: it has the time of one lease to end, from the cancel on
  gone,       // ended, handed back, or never a worker's: what comes of it is refused
};

}  // namespace almanac
