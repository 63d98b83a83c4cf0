// Workers elsewhere: they outlive engines, lease tasks, say that they live, and end what they run
// well or badly, or are silent about it.
#pragma once

#include <almanac/tests/simulation/simulated_engine.h>

#include <cstdint>
#include <functional>
#include <map>

namespace almanac::test {

class RemoteWorkers {
 public:
  // `engine` gives the one that runs; null where none does.
  RemoteWorkers(SimulatedMachine& machine, std::function<SimulatedEngine*()> engine)
      : machine_(machine), engine_(std::move(engine)) {}

  // For tasks of some kind, for a while.
  void ask(SimulatedEngine& engine);

 private:
  struct Job {
    LeasedTask task;
    Duration ends;  // when it is to be reported
  };
  void begin(const LeaseSpec& asked, const LeasedTask& task);
  void go_on(std::uint64_t number);
  void beat(std::uint64_t number, SimulatedEngine& engine);
  void end(std::uint64_t number, SimulatedEngine& engine);
  [[nodiscard]] AttemptOutcome draw_outcome();

  SimulatedMachine& machine_;
  const std::function<SimulatedEngine*()> engine_;
  std::map<std::uint64_t, Job> jobs_;  // that are not done with
  std::uint64_t numbers_ = 0;
};

}  // namespace almanac::test
