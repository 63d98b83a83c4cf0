#include <almanac/snapshots/restore_before.h>

#include <string>

namespace almanac {

Result<Position> find_before(const Repository& repository, const RestorePoint& point,
                             const Query& query, const RestoreOptions& options) {
  const auto plan = plan_restore(repository, {.snapshot = point.snapshot, .moment = {}});
  if (!plan) return std::unexpected(plan.error());
  auto state = first_state(repository, *plan);
  if (!state) return std::unexpected(state.error());
  const Position first = state->position;
  if (query.holds(*state)) {
    return fail(ErrorCode::refused,
                "it holds at position " + std::to_string(first.value) + " already",
                "ask for its opposite, !(…), or for something that came later");
  }
  bool holds = false;
  auto read = ArchivedLog(repository, plan->manifest)
                  .read(first.next(), [&](const RecordedEvent& event) -> Result<bool> {
                    if (options.stop.stop_requested()) {
                      return fail(ErrorCode::stopped, "the search was stopped");
                    }
                    fold_into(*state, event);
                    if (options.progress) {
                      options.progress({first.next(), state->position, plan->at, 0});
                    }
                    holds = query.holds(*state);
                    return !holds;
                  });
  if (!read) return std::unexpected(read.error());
  if (holds) return Position(state->position.value - 1);
  return fail(ErrorCode::not_found,
              "it holds at no position up to " + std::to_string(plan->at.value) +
                  ", where the archive ends",
              "leave --before out to restore that");
}

}  // namespace almanac
