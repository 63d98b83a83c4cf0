// What a run prints: a line that moves on a terminal, plain lines elsewhere, JSON lines for
// programs, and the closing table.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>
#include <almanac/tools/progress.h>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace almanac {

// A task of the run, as it is called.
struct RunTask {
  TaskId id;
  std::string label;                      // printable
  TaskState before = TaskState::waiting;  // when the run began
  TaskState last = TaskState::waiting;    // as its last end told; it may be forgotten since
};

struct DisplayOptions {
  bool json = false;
  bool forever = false;   // tasks come while it runs
  bool all = false;       // every end on a line of its own, every task in the table
  std::size_t tasks = 0;  // of the run; more than were submitted when it was stopped early
  std::string grace;      // printable; how long tasks may go on when the run is stopped
  std::string hint;       // printable; how to look at what a task has written
  std::chrono::steady_clock::time_point began;  // when the run did
};

class RunDisplay {
 public:
  RunDisplay(DisplayOptions options, std::vector<RunTask> tasks);

  void show(std::span<const AttemptNote> notes, const State& state);
  // The engine has been told to stop; says once what that means.
  void stopping(const State& state);
  // The closing table or object; once. Reads why tasks failed from the log. An engine that has
  // stopped has written its last event: the object then has the digest of all there is.
  void close(const State& state, const Log& log);
  // All tasks of the run have.
  [[nodiscard]] bool all_succeeded(const State& state) const;

 private:
  struct Sums {
    std::size_t succeeded = 0;
    std::size_t failed = 0;
    std::size_t cancelled = 0;
    std::size_t unfinished = 0;
  };
  void count(TaskState state);
  void table(const State& state, const Log& log) const;
  void closing_object(const State& state, const Sums& sums) const;
  void line(const AttemptNote& note);
  void json(const AttemptNote& note);
  void redraw(const State& state);
  void milestone();
  void clear_line() const;
  [[nodiscard]] std::string label(TaskId id) const;
  struct FirstLeft;
  [[nodiscard]] std::optional<FirstLeft> first_left(const State& state);
  [[nodiscard]] std::string waiting(const State& state);
  void tell_delay(const State& state);
  [[nodiscard]] std::string why(const State& state, TaskId id, const Log& log) const;
  [[nodiscard]] static TaskState state_of(const State& state, const RunTask& task);
  [[nodiscard]] Sums sums(const State& state) const;

  DisplayOptions options_;
  std::vector<RunTask> tasks_;
  std::unordered_map<TaskId, std::size_t> by_id_;
  std::size_t terminal_columns_;
  bool every_end_;
  std::size_t ended_ = 0;
  std::size_t failed_ = 0;
  std::size_t ended_before_;  // of ended_, those that had when the run began
  std::size_t milestone_next_;
  std::size_t first_left_ = 0;  // of tasks_, all in front of it have ended
  TaskId delay_told_;           // of the last task whose wait for a time was said
  bool stopping_ = false;
  std::chrono::steady_clock::time_point drawn_;
};

}  // namespace almanac
