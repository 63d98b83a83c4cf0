// Which faults exist in a run, and when one strikes.
#pragma once

#include <almanac/tests/simulation/coverage.h>
#include <almanac/tests/simulation/draw.h>

#include <bitset>

namespace almanac::test {

class Faults {
 public:
  // Draws which of them there are.
  Faults(Draw& draw, Coverage& coverage) : draw_(draw), coverage_(coverage) {
    for (std::size_t fault = 0; fault < first_gpu_fault; ++fault) exists_[fault] = draw.chance(40);
  }
  void draw_those_of_gpus(Draw& draw) {
    for (std::size_t fault = first_gpu_fault; fault < fault_count; ++fault) {
      exists_[fault] = draw.chance(50);
    }
  }
  // Whether it strikes now: so often where it exists, and never once all are healed.
  bool strike(Fault fault, unsigned percent) { return strike(fault, percent, draw_); }
  bool strike(Fault fault, unsigned percent, Draw& draw) {
    if (healed_ || !exists_[static_cast<std::size_t>(fault)] || !draw.chance(percent)) return false;
    coverage_.strike(fault);
    return true;
  }
  void heal() { healed_ = true; }
  [[nodiscard]] bool healed() const { return healed_; }

 private:
  Draw& draw_;
  Coverage& coverage_;
  std::bitset<fault_count> exists_;
  bool healed_ = false;
};

}  // namespace almanac::test
