#include <almanac/snapshots/state_at.h>

#include <almanac/snapshots/rebuild.h>

namespace almanac {

Result<State> state_at(const Log& log, const std::filesystem::path&,
                       std::optional<Position> through) {
  return rebuild(log, {.through = through, .visit = {}});
}

}  // namespace almanac
