#include <almanac/snapshots/state_at.h>

#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/rebuild.h>

#include <utility>

namespace almanac {

Result<State> state_at(const Log& log, const std::filesystem::path& folder,
                       std::optional<Position> through) {
  auto newest = newest_checkpoint(log, folder, through.value_or(Position(UINT64_MAX)));
  if (!newest.state) return rebuild(log, {.through = through});
  return rebuild(log, {.through = through, .start = std::move(*newest.state)});
}

}  // namespace almanac
