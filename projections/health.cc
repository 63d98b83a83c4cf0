#include <almanac/projections/health.h>

#include <almanac/projections/tasks.h>

#include <array>

namespace almanac {

bool fold(HealthRecord& record, const EventPlace& place, const HealthChanged& event) {
  if (event.from != record.health || event.to == record.health) return false;
  record = {.health = event.to,
            .changed = place.position,
            .since = place.at,
            .changes = record.changes + 1};
  return true;
}

void HealthRecord::hash_into(StateHasher& hasher) const {
  if (changes == 0) return;
  constexpr std::uint64_t part = 0x6865616c7468;  // "health"
  hasher.numbers(std::array{part, static_cast<std::uint64_t>(health), changed.value,
                            static_cast<std::uint64_t>(since.time_since_epoch().count()), changes});
}

}  // namespace almanac
