#include <almanac/projections/engines.h>

namespace almanac {

void EngineInfo::hash_into(StateHasher& hasher) const {
  hasher.number(running ? 1 : 0);
  hasher.number(starts);
  hasher.number(process_id);
  hasher.number(slots);
  hasher.number(seed);
  hasher.number(static_cast<std::uint64_t>(started_at.time_since_epoch().count()));
  hasher.text(version);
}

bool fold(EngineInfo& engine, Time at, const EngineStarted& event) {
  engine.running = true;
  engine.starts += 1;
  engine.process_id = event.process_id;
  engine.slots = event.slots;
  engine.seed = event.seed;
  engine.started_at = at;
  engine.version = event.version;
  return true;
}

bool fold(EngineInfo& engine, Time, const EngineStopped&) {
  engine.running = false;
  return true;
}

}  // namespace almanac
