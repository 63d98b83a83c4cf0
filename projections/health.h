// How well things go, as the engine has put it on record. What says so: engine/state_health.h.
#pragma once

#include <almanac/log/events/health.h>
#include <almanac/log/types.h>
#include <almanac/projections/state_hasher.h>

#include <cstdint>

namespace almanac {

// A value. Changed by fold() alone.
struct HealthRecord {
  Health health = Health::healthy;
  Position changed;  // the last event; none = it never was anything else
  Time since;        // of that event
  std::uint64_t changes = 0;
  bool operator==(const HealthRecord&) const = default;

  void hash_into(StateHasher& hasher) const;
};

struct EventPlace;

// From what it is not, or to what it is already: nothing changes, and the answer is false.
bool fold(HealthRecord& record, const EventPlace& place, const HealthChanged& event);

}  // namespace almanac
