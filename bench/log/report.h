// What was measured: a line of JSON per figure on standard output, and on standard error a table of
// 80 columns with the bars.
#pragma once

#include <almanac/bench/log/cases.h>
#include <almanac/bench/log/long_run.h>

namespace almanac::bench {

void print_json(const Compared& compared);
void print_json(const std::vector<DiskUse>& uses, std::size_t payload_bytes);
void print_json(const LongRun& run);

void print_systems();
void print_table(const std::vector<Compared>& all);
void print_table(const std::vector<DiskUse>& uses, std::size_t payload_bytes);
void print_table(const LongRun& run);

}  // namespace almanac::bench
