// The engine that runs on this log, or ran last.
#pragma once

#include <almanac/log/events/engine.h>
#include <almanac/log/types.h>
#include <almanac/projections/state_hasher.h>

#include <string>

namespace almanac {

// A value. Changed by fold() alone.
struct EngineInfo {
  bool running = false;  // started and not stopped; true as well after it was killed
  std::uint64_t starts = 0;
  std::uint64_t process_id = 0;
  std::uint32_t slots = 0;
  std::uint64_t seed = 0;
  Time started_at;
  std::string version;

  void hash_into(StateHasher& hasher) const;
};

bool fold(EngineInfo& engine, Time at, const EngineStarted& event);
bool fold(EngineInfo& engine, Time at, const EngineStopped& event);

}  // namespace almanac
