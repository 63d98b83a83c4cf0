// The ways a case appends: each answers how long every append took.
#pragma once

#include <almanac/bench/log/cases.h>

namespace almanac::bench {

struct Timed {
  double seconds = 0;
  std::vector<float> latencies_us;
};

// Appends once `of.appends` times; where `of.closes`, closing counts too.
[[nodiscard]] Timed run_pattern(Subject& subject, const Case& of, const Payloads& payloads);

}  // namespace almanac::bench
