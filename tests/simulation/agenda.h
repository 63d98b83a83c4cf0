// What is going to happen, in order of virtual time: the only thing that runs in a simulation.
#pragma once

#include <almanac/log/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace almanac::test {

class Agenda {
 public:
  // Since the simulation began. Passes only between actions, whatever the wall clock does.
  [[nodiscard]] Duration now() const { return now_; }
  void in(Duration wait, std::function<void()> action) {
    actions_.emplace(std::pair(now_ + wait, ++entered_), std::move(action));
  }
  // Does what comes next; what comes at the same time, in the order in which it was entered. False
  // when nothing is left.
  bool step() {
    if (actions_.empty()) return false;
    auto next = actions_.extract(actions_.begin());
    now_ = next.key().first;
    next.mapped()();
    return true;
  }

 private:
  Duration now_{0};
  std::uint64_t entered_ = 0;
  std::map<std::pair<Duration, std::uint64_t>, std::function<void()>> actions_;
};

}  // namespace almanac::test
