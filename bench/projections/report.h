// What was measured: a line of JSON per figure on standard output, and on standard error tables of
// 80 columns with the bars.
#pragma once

#include <almanac/bench/projections/cases.h>

namespace almanac::bench {

void report(const Folds& folds);
void report(const std::vector<Bytes>& memory);
void report(const ValueCosts& costs, std::uint64_t tasks);
void report(const std::vector<Scaled>& scaling);

}  // namespace almanac::bench
