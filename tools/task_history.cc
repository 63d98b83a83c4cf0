#include <almanac/tools/task_history.h>

#include <almanac/tools/task_event.h>

#include <algorithm>

namespace almanac {

Result<void> read_task_history(const TaskHistoryOptions& options, const EventVisit& visit) {
  const Position last = options.task.changed;
  const Position first = std::max(options.task.enqueued, options.from);
  if (first > last) return {};
  // The last event of a task is not behind the one that changed it last.
  return options.log.read(first, [&](const RecordedEvent& event) -> Result<bool> {
    if (event.position > last) return false;
    if (task_of(event.event.body) == options.id) {
      auto goes_on = visit(event);
      if (!goes_on || !*goes_on) return goes_on;
    }
    return event.position < last;
  });
}

}  // namespace almanac
