// What a run prints: a line that moves on a terminal, plain lines elsewhere, JSON lines for
// programs, and the closing table.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>
#include <almanac/tools/progress.h>

#include <span>
#include <string>
#include <vector>

namespace almanac {

// A task of the run, as it is called.
struct RunTask {
  TaskId id;
  std::string label;  // printable
};

struct DisplayOptions {
  bool json = false;
  bool all = false;  // every end on a line of its own, every task in the table
};

class RunDisplay {
 public:
  RunDisplay(DisplayOptions options, std::vector<RunTask> tasks);

  void show(std::span<const AttemptNote> notes, const State& state);
  // The closing table or object. Reads why tasks failed from the log.
  void close(const State& state, const Log& log);

 private:
  void line(const AttemptNote& note);
  void json(const AttemptNote& note);
  void redraw(const State& state);
  void milestone(const State& state);
  [[nodiscard]] std::string label(TaskId id) const;
  [[nodiscard]] std::string why(const Task& task, const Log& log) const;
  struct Sums {
    std::size_t succeeded = 0;
    std::size_t failed = 0;
    std::size_t cancelled = 0;
    std::size_t unfinished = 0;
  };
  [[nodiscard]] Sums sums(const State& state) const;

  DisplayOptions options_;
  std::vector<RunTask> tasks_;
  std::unordered_map<TaskId, std::size_t> by_id_;
  std::size_t terminal_columns_;
  bool every_end_;
  std::size_t ended_ = 0;
  std::size_t milestone_next_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point drawn_;
};

}  // namespace almanac
