// Lets the power fail at every moment of a recording, in every way the model knows, and opens the
// log that is left. Worker processes do that, so that one that dies is a finding like others.
#pragma once

#include <almanac/tests/disk/crash_point.h>
#include <almanac/tests/disk/log_check.h>
#include <almanac/tests/disk/log_oracle.h>
#include <almanac/tests/disk/workload.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace almanac::test {

struct ExploreOptions {
  DiskFaults faults = {};
  DiskFaults faults_in_recovery = {};
  // What opens a state.
  using Check = std::function<FoundLog(const std::filesystem::path& folder, Recorder* recorder)>;
  Check check = check_log;
  StateLimits limits = {};
  std::uint64_t seed = 1;
  unsigned workers = 2;
  // Of so many moments the power fails at one, chosen by the seed, and at none before this step.
  std::uint64_t point_every = 1;
  std::size_t first_step = 0;
  // Of so many states that were opened, the recovery of one is recorded and crashed again.
  std::uint64_t second_level_every = 200;
  // Of so many moments, at one the program is killed instead, the log is opened by another one, and
  // the power fails in that: what the first one had not synced is seen by the second one, and may
  // be lost all the same.
  std::uint64_t kill_every = 10;
  StateLimits second_limits = {.family_max = 8, .random_states = 8, .all_subsets_of_max = 4};
  // No state is begun after this.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  bool keeps_findings = true;  // as folders under TMPDIR
};

// Numbers of states, but for `points`.
struct Tally {
  std::uint64_t points = 0;    // moments at which the power failed
  std::uint64_t states = 0;    // judged; some are equal
  std::uint64_t opened = 0;    // different ones, each opened, read, verified and written to
  std::uint64_t second = 0;    // those of them that are crashes of a recovery
  std::uint64_t replayed = 0;  // those with frames in the journal that the store lacked
  std::uint64_t kills = 0;     // and moments at which the program was killed
  std::uint64_t lost = 0;      // and what was found:
  std::uint64_t wrong = 0;
  std::uint64_t unopenable = 0;
  std::uint64_t damaged = 0;
  std::uint64_t stuck = 0;
  std::uint64_t unstable = 0;
  std::uint64_t dead = 0;

  [[nodiscard]] std::uint64_t findings() const {
    return lost + wrong + unopenable + damaged + stuck + unstable + dead;
  }
  Tally& operator+=(const Tally& other);
};
// "31 points, 1204 states, 811 opened (40 in recovery, 300 replayed), 3 kills: 0 lost, …".
[[nodiscard]] std::string describe(const Tally& tally);

struct ExploreReport {
  Tally tally;
  std::vector<std::string> examples;  // of findings, a few
};

// Nothing else runs in this process meanwhile. The pool is the one of the recording.
[[nodiscard]] ExploreReport explore(const Scenario& scenario, const RecordedScenario& recorded,
                                    SectorPool& pool, const ExploreOptions& options);

// Makes a folder under TMPDIR with the image in `state` and the text in `why.txt`; it stays.
[[nodiscard]] std::filesystem::path save_state(const DiskImage& image, SectorPool& pool,
                                               const std::string& why);

}  // namespace almanac::test
