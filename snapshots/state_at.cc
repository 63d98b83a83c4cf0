#include <almanac/snapshots/state_at.h>

#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/rebuild.h>

#include <algorithm>
#include <string>
#include <utility>

namespace almanac {
namespace {

// Why nothing leads to the state of a log whose front is gone.
Error no_way(Error error, const std::vector<Error>& refused) {
  if (error.code != ErrorCode::refused || refused.empty()) return error;
  error.message += ", and of " + std::to_string(refused.size()) +
                   " checkpoints none serves: " + refused.front().message;
  error.next_step = "put one back from a copy of the folder checkpoints";
  return error;
}

}  // namespace

Result<ReachedState> reach_state(const Log& log, const std::filesystem::path& folder,
                                 std::optional<Position> through, std::stop_token stop,
                                 Loading loading) {
  auto newest = newest_checkpoint(log, folder, through.value_or(Position(UINT64_MAX)), loading);
  ReachedState reached{.refused = std::move(newest.refused)};
  if (newest.state) reached.checkpoint = newest.state->position;
  auto state = rebuild(log, {.through = through,
                             .start = std::move(newest.state).value_or(State()),
                             .stop = std::move(stop)});
  if (!state) return std::unexpected(no_way(state.error(), reached.refused));
  reached.state = std::move(*state);
  return reached;
}

Result<State> state_at(const Log& log, const std::filesystem::path& folder,
                       std::optional<Position> through, std::stop_token stop, Loading loading) {
  auto reached = reach_state(log, folder, through, std::move(stop), loading);
  if (!reached) return std::unexpected(reached.error());
  return std::move(reached->state);
}

Result<Position> first_state_position(const Log& log, const std::filesystem::path& folder) {
  auto base = log.base();
  if (!base) return std::unexpected(base.error());
  if (!base->last) return Position();
  auto positions = checkpoints_of(folder);
  auto first = std::ranges::find_if(positions.rbegin(), positions.rend(),
                                    [&](Position position) { return position >= base->last; });
  if (first != positions.rend()) return *first;
  return fail(ErrorCode::refused,
              "the log begins at position " + std::to_string(base->last.value + 1) +
                  ": what happened before was removed",
              "its state can only be rebuilt from a checkpoint");
}

}  // namespace almanac
