#include <almanac/tools/task_filter.h>

#include <almanac/tools/query_error.h>

#include <algorithm>

namespace almanac {

bool TaskFilter::matches(const State& state, TaskId id, const Task& task) const {
  if (nothing) return false;
  if (!states.empty() && std::ranges::find(states, task.state) == states.end()) return false;
  if (queue && task.queue != *queue) return false;
  if (kind && task.kind != *kind) return false;
  if (tag && !state.tasks.tagged.contains(TagKey{*tag, id})) return false;
  return !where || where->holds(state, id, task);
}

Result<TaskFilter> make_task_filter(const State& state, const TaskFilterOptions& options) {
  TaskFilter filter;
  for (const std::string& name : options.states) {
    auto found = task_state_from(name);
    if (!found) {
      return fail(ErrorCode::invalid, "there is no state '" + name + "'",
                  "use waiting, delayed, ready, running, cancelling, succeeded, failed, "
                  "cancelled or held");
    }
    filter.states.push_back(*found);
  }
  if (!options.where.empty()) {
    auto where = parse_query(options.where, QuerySubject::task);
    if (!where) return std::unexpected(where.error());
    filter.where = *where;
  }
  const auto find = [&](const std::string& name) {
    auto found = name.empty() ? std::nullopt : state.names.find(name);
    filter.nothing = filter.nothing || (!name.empty() && !found);
    return found;
  };
  filter.queue = find(options.queue);
  filter.kind = find(options.kind);
  filter.tag = find(options.tag);
  return filter;
}

}  // namespace almanac
