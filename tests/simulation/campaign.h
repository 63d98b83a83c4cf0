// Many runs, on all processors.
#pragma once

#include <almanac/tests/simulation/simulation.h>

#include <map>
#include <string>

namespace almanac::test {

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t count = 1;
};

struct CampaignReport {
  std::uint64_t runs = 0;
  std::uint64_t events = 0;
  std::uint64_t tasks = 0;
  std::uint64_t engines = 0;
  std::uint64_t digest = 0;  // of every seed with its trace, whichever thread ran it when
  Coverage coverage;
  std::map<std::uint64_t, std::string> violations;  // by seed; ends soon behind the first ones
};

// What a check of our own stops says which seed it was.
[[nodiscard]] CampaignReport simulate_many(const Seeds& seeds);

}  // namespace almanac::test
