#include <almanac/snapshots/state_at.h>

#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/rebuild.h>

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
                                 std::optional<Position> through) {
  auto newest = newest_checkpoint(log, folder, through.value_or(Position(UINT64_MAX)));
  ReachedState reached{.refused = std::move(newest.refused)};
  if (newest.state) reached.checkpoint = newest.state->position;
  auto state =
      rebuild(log, {.through = through, .start = std::move(newest.state).value_or(State())});
  if (!state) return std::unexpected(no_way(state.error(), reached.refused));
  reached.state = std::move(*state);
  return reached;
}

Result<State> state_at(const Log& log, const std::filesystem::path& folder,
                       std::optional<Position> through) {
  auto reached = reach_state(log, folder, through);
  if (!reached) return std::unexpected(reached.error());
  return std::move(reached->state);
}

}  // namespace almanac
