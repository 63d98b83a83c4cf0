// The settings that `almanac whatif` compares: one run for each number of slots with each policy
// that was typed. What is said of single queues and of limits holds in all of them.
#pragma once

#include <almanac/engine/what_if.h>

#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct WhatIfChoices {
  std::string slots;                     // "4,8"; empty = as recorded
  std::vector<std::string> queue_slots;  // "web=2"
  std::string policies;                  // "fifo,urgency,web=fair" or "all"; empty = as recorded
  std::vector<std::string> limits;       // "gpu=2", "mail=60/min", "mail=60/min:10"
  Duration deadline{0};
  std::vector<ModelSpec> models;  // that tasks name
  std::string gpu_memory;         // "24GiB"
  std::string model_orders;       // "batched,first_come"; empty = both
  Duration model_patience = ModelOptions().patience;
};

struct WhatIfCase {
  std::string policy;  // as it was typed; empty = as recorded
  WhatIfSettings settings;
};

// `work` says which queues and limits there are. A queue that is named keeps what was recorded of
// it last, but for what is said of it. Errors: invalid.
[[nodiscard]] Result<std::vector<WhatIfCase>> cases_of(const WhatIfChoices& choices,
                                                       const RecordedWork& work);

}  // namespace almanac
