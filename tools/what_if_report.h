// What `almanac whatif` prints: a table of the cases, how many tasks waited over time in each, or
// JSON.
#pragma once

#include <almanac/tools/bar_plot.h>
#include <almanac/tools/what_if_settings.h>

#include <string>
#include <vector>

namespace almanac {

struct WhatIfResult {
  WhatIfCase tried;
  WhatIfReport report;
};

struct WhatIfPrices {
  double slot_hour = 0;  // 0 = none was named
};

// Lines of 80 columns at most.
[[nodiscard]] std::string table_of(const std::vector<WhatIfResult>& results,
                                   const WhatIfPrices& prices);
// Of the cases that have models: how often they were loaded, and how long they were waited for.
// Empty where none has.
[[nodiscard]] std::string models_of(const std::vector<WhatIfResult>& results);
// One plot below the other, over the same time.
[[nodiscard]] std::string plots_of(const std::vector<WhatIfResult>& results, Glyphs glyphs);
// One object, without the end of the line.
[[nodiscard]] std::string json_of(const WhatIfResult& result, const WhatIfPrices& prices);

}  // namespace almanac
