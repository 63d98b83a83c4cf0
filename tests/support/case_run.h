// Many cases that may each kill the process they run in: forked workers take them in turn, and a
// worker that dies or hangs is the finding of the case it was at.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace almanac::test {

enum class CaseEnd : std::uint8_t {
  noticed,   // an error that says so
  unharmed,  // the right result all the same
  skipped,   // there was nothing to try
  wrong      // another result, or an error that says something else
};

struct CaseRunOptions {
  std::uint64_t cases = 0;
  unsigned workers = 2;
  // Stops after this long, once so many have been run.
  std::chrono::seconds time_max = std::chrono::hours(1);
  std::uint64_t cases_min = UINT64_MAX;
};

struct CaseRunReport {
  std::uint64_t noticed = 0;
  std::uint64_t unharmed = 0;
  std::uint64_t skipped = 0;
  // Cases that went wrong, those that killed their process, and why; no more than a hundred.
  struct Finding {
    std::uint64_t index;
    std::string what;  // "wrong", "signal 11", "exit 1"
  };
  std::vector<Finding> findings;
  [[nodiscard]] std::uint64_t ran() const { return noticed + unharmed + findings.size(); }
};

// Runs `try_case(worker, index)` for each index below `cases` in child processes. The calling
// process must have no other threads.
using TryCase = std::function<CaseEnd(unsigned worker, std::uint64_t index)>;
[[nodiscard]] CaseRunReport run_cases(const CaseRunOptions& options, const TryCase& try_case);

}  // namespace almanac::test
