#include <almanac/tools/source.h>

#include <almanac/tools/exit_code.h>
#include <almanac/tools/past.h>
#include <almanac/tools/task_json.h>

#include <almanac/engine/engine.h>
#include <almanac/engine/tasks.h>
#include <almanac/snapshots/state_at.h>

#include <set>
#include <utility>

namespace almanac {

Result<std::string> Source::label(const Task& task) const { return task_label(*log, task); }

void tell_refused(const Error& refused) {
  static std::set<std::string> told;
  if (told.insert(refused.message).second) report_warning(refused);
}

Result<State> find_state(const Log& log, const std::filesystem::path& folder,
                         std::optional<Position> through) {
  auto reached = reach_state(log, folder, through);
  if (!reached) {
    // Of the end there is a state, or none at all.
    if (!through) return std::unexpected(reached.error());
    return std::unexpected(with_first_state(reached.error(), log, folder, *through));
  }
  for (const Error& refused : reached->refused) tell_refused(refused);
  return std::move(reached->state);
}

Result<Source> open_source(const std::filesystem::path& folder, std::string_view at) {
  auto log = Log::open(folder, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  auto through = find_position(**log, at, system_time());
  if (!through) return std::unexpected(with_first_state(through.error(), **log, folder));
  auto state = find_state(**log, folder, *through);
  if (!state) return std::unexpected(state.error());
  return Source{.log = std::move(*log), .state = std::move(*state)};
}

Error no_task(const State& state, TaskId id, std::string_view at) {
  auto number = std::to_string(id.value);
  if (at.empty() || (id && id <= state.tasks.last)) return unknown_task(state, id);
  return {ErrorCode::not_found, "there was no task " + number + " at that moment",
          "`almanac list --at` shows those there were"};
}

}  // namespace almanac
