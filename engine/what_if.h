// What would have been, had the engine had other slots, its queues other settings, or had there
// been other limits: recorded work goes once more through the same decide and fold, on a virtual
// clock.
#pragma once

#include <almanac/engine/model_spec.h>
#include <almanac/engine/recorded_work.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace almanac {

// A GPU of the rehearsal, and the models that tasks name on it.
enum class ModelOrder : std::uint8_t {
  batched,     // as an engine does it (model_turns.h)
  first_come,  // the first in the order of the queues begins next, whatever that takes, and what
               // gives way is what was used longest ago
};
[[nodiscard]] std::string_view name(ModelOrder order);

struct WhatIfModelSettings {
  std::vector<ModelSpec> models;  // empty = tasks begin without any
  std::uint64_t memory = 0;       // of the GPU; 0 = there is none
  ModelOrder order = ModelOrder::batched;
  Duration patience = ModelOptions().patience;

  [[nodiscard]] bool is_set() const { return memory > 0 || !models.empty(); }
};

struct WhatIfSettings {
  std::uint32_t slots = 0;             // of the engine; 0 = as recorded
  std::vector<ConfigureQueue> queues;  // in place of what was recorded of these
  std::vector<ConfigureLimit> limits;  // the same
  // Behind its arrival a task should have ended that has no deadline of its own; 0 = whenever.
  Duration deadline{0};
  WhatIfModelSettings models;
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

struct WhatIfModels {
  std::uint64_t loads = 0;
  std::uint64_t evictions = 0;
  Duration loading{0};  // all loads together
  // How long one that was wanted was not there, at most; and the bound that held for that wait, as
  // model_turns.h states it. None was longer than its own but these.
  Duration longest_wait{0};
  Duration bound{0};
  std::uint64_t beyond = 0;
  bool operator==(const WhatIfModels&) const = default;
};

// A value.
struct WhatIfReport {
  std::uint32_t slots = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t refused = 0;  // that could not make their deadline, or ask for too much of a limit
  std::uint64_t unfinished = 0;
  // Of those that succeeded or failed, later than their deadline; none where no task has one.
  std::optional<std::uint64_t> missed;
  WhatIfWaits waits;
  std::optional<WhatIfModels> models;  // where there are some
  Time began;                          // the first arrival
  Duration make_span{0};               // from there to the last end
  Duration busy{0};                    // of all attempts together
  double utilisation = 0;              // of the slots, meanwhile
  std::vector<WhatIfStart> starts;     // in order
  std::vector<WhatIfBacklog> backlog;
};

// Every task has a handler, no engine dies, nothing is forgotten, and every command that was
// recorded is given again at its time. Programs take tokens when they did, where there are any.
// What depends on a task that is refused is cancelled. Pure: the same for the same work and
// settings. Costs what deciding and folding does, some microseconds a task. Errors: invalid
// (settings or tasks that no engine takes; no slots).
[[nodiscard]] Result<WhatIfReport> what_if(const RecordedWork& work,
                                           const WhatIfSettings& settings);

}  // namespace almanac
