// How far something has got, in one line at the bottom of a terminal on standard error. Says
// nothing where that is none.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace almanac {

class ProgressLine {
 public:
  ProgressLine();
  // Takes itself away.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Whether it is time for another one: ten times a second on a terminal.
  [[nodiscard]] bool is_due();
  void show(const std::string& text);
  void clear();

 private:
  std::size_t columns_;  // 0 = no terminal
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace almanac
