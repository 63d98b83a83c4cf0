// The settings that `almanac whatif` compares: one run for each combination of what was typed.
#pragma once

#include <almanac/engine/what_if.h>

#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct WhatIfChoices {
  std::string slots;                     // "4,8"; empty = as recorded
  std::vector<std::string> queue_slots;  // "web=2"
  std::string policies;                  // "priority"; empty = as recorded
  Duration deadline{0};
};

struct WhatIfCase {
  std::string policy;  // as it was typed; empty = as recorded
  WhatIfSettings settings;
};

// `work` says which queues there are. Errors: invalid.
[[nodiscard]] Result<std::vector<WhatIfCase>> cases_of(const WhatIfChoices& choices,
                                                       const RecordedWork& work);

}  // namespace almanac
