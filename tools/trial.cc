#include <almanac/tools/trial.h>

#include <almanac/engine/decide.h>
#include <almanac/engine/engine.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/tools/query_error.h>

#include <algorithm>
#include <utility>

namespace almanac {

Result<State> read_state(const std::filesystem::path& folder) {
  auto log = Log::open(folder, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  return state_at(**log, folder);
}

Result<State> read_state_or_none(const std::filesystem::path& folder) {
  auto state = read_state(folder);
  if (!state && state.error().code == ErrorCode::not_found) return State();
  return state;
}

Result<Answer> try_out(State& state, const Command& command) {
  Arena memory;
  auto decision = decide(state, command, {std::max(system_time(), state.time), memory});
  if (!decision) return std::unexpected(decision.error());
  for (const Event& event : decision->events) {
    const RecordedEvent recorded{state.position.next(), event};
    fold_into(state, recorded);
  }
  return std::move(decision->answer);
}

Result<std::vector<TaskId>> tasks_to_change(const State& state, std::string_view where,
                                            const ChangeTasks& change) {
  auto query = parse_query(where, QuerySubject::task);
  if (!query) return std::unexpected(query.error());
  std::vector<TaskId> ids;
  for (const auto& [id, task] : state.tasks.all) {
    if (query->holds(state, id, task)) ids.push_back(id);
  }
  std::erase_if(ids, [&](TaskId id) {
    State trial = state;
    ChangeTasks one = change;
    one.ids = {id};
    auto answer = try_out(trial, one);
    return !answer || std::get<Changed>(*answer).tasks == 0;
  });
  return ids;
}

}  // namespace almanac
