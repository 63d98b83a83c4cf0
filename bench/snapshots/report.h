// What was measured: a line of JSON per figure on standard output, and on standard error tables of
// 80 columns with the bars.
#pragma once

#include <almanac/bench/snapshots/cases.h>

namespace almanac::bench {

void report(const Measured& measured, const Sizes& sizes);

}  // namespace almanac::bench
