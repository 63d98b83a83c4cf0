// Which tasks of a state are asked for.
#pragma once

#include <almanac/log/error.h>
#include <almanac/projections/query.h>
#include <almanac/projections/state.h>

#include <optional>
#include <string>
#include <vector>

namespace almanac {

// As it was typed, or sent.
struct TaskFilterOptions {
  std::vector<std::string> states;  // by name; none = all
  std::string queue;                // empty = all
  std::string kind;
  std::string tag;
  std::string where;  // see query.h; empty = all
};

// What it means in one state. A value.
struct TaskFilter {
  std::vector<TaskState> states;  // empty = all
  std::optional<NameId> queue;
  std::optional<NameId> kind;
  std::optional<NameId> tag;
  std::optional<Query> where;
  bool nothing = false;  // a queue, kind or tag that no task has

  [[nodiscard]] bool matches(const State& state, TaskId id, const Task& task) const;
};

// Errors: invalid.
[[nodiscard]] Result<TaskFilter> make_task_filter(const State& state,
                                                  const TaskFilterOptions& options);

}  // namespace almanac
