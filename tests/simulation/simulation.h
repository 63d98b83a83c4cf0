// One run of the engine in a world that one seed draws: what is asked, what fails, and when. Then
// all is healed, and everything that was accepted must end.
#pragma once

#include <almanac/tests/simulation/coverage.h>

#include <almanac/log/event.h>

#include <cstdint>
#include <functional>
#include <string>

namespace almanac::test {

struct SimulatedRun {
  std::string violation;    // what was broken; empty = nothing
  std::uint64_t trace = 0;  // the same for the same seed: of every byte written and every answer
  std::uint64_t events = 0;
  std::uint64_t tasks = 0;
  std::uint64_t engines = 0;
  Coverage coverage;
};

struct SimulationOptions {
  std::function<void(const RecordedEvent&)> on_event = {};
  bool calm = false;  // nothing fails, and no engine stops before the end
};

// Any thread; none shares anything with another.
[[nodiscard]] SimulatedRun simulate(std::uint64_t seed, const SimulationOptions& options = {});

}  // namespace almanac::test
