// The figures beside their bars, as a table for people and as lines for scripts.
#pragma once

#include <almanac/bench/snapshots_archive/cases.h>

namespace almanac::bench {

void report(const Archiving& archiving);
void report(const Incremental& incremental);
void report(const std::vector<Restored>& restored);

}  // namespace almanac::bench
