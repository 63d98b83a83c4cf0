// What would have been, had the engine had other slots or its queues other settings: recorded work
// goes once more through the same decide and fold, on a virtual clock.
#pragma once

#include <almanac/engine/recorded_work.h>

#include <cstdint>
#include <string>
#include <vector>

namespace almanac {

struct WhatIfSettings {
  std::uint32_t slots = 0;             // of the engine; 0 = as recorded
  std::vector<ConfigureQueue> queues;  // in place of what was recorded of these
  Duration deadline{0};                // behind its arrival a task should have ended; 0 = none
};

struct WhatIfStart {
  TaskId task;  // its place in the work, from 1
  Time at;
  bool operator==(const WhatIfStart&) const = default;
};

struct WhatIfBacklog {
  Time at;
  std::uint64_t ready = 0;  // tasks that wait for a slot from then on
};

// How long tasks could have run and did not: before its first attempt, and before each further one.
struct WhatIfWaits {
  Duration mean{0};
  Duration p50{0};
  Duration p95{0};
  Duration p99{0};
  Duration max{0};
};

// A value.
struct WhatIfReport {
  std::uint32_t slots = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t unfinished = 0;
  std::uint64_t missed = 0;  // of those that succeeded or failed, later than the deadline
  WhatIfWaits waits;
  Time began;                       // the first arrival
  Duration make_span{0};            // from there to the last end
  Duration busy{0};                 // of all attempts together
  double utilisation = 0;           // of the slots, meanwhile
  std::vector<WhatIfStart> starts;  // in order
  std::vector<WhatIfBacklog> backlog;
};

// Every task has a handler, limits hold nobody, no engine dies, nothing is forgotten, and every
// command that was recorded is given again at its time. Pure: the same for the same work and
// settings. Costs what deciding and folding does, some microseconds a task. Errors: invalid
// (settings or tasks that no engine takes; no slots).
[[nodiscard]] Result<WhatIfReport> what_if(const RecordedWork& work,
                                           const WhatIfSettings& settings);

}  // namespace almanac
