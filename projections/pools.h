// The pools of programs, as far as they are on record: what became of their instances.
#pragma once

#include <almanac/log/events/pool.h>
#include <almanac/log/types.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/state_hasher.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace almanac {

struct PoolRecord {
  std::uint64_t alive = 0;  // instances of the program that runs, or ran last
  std::uint64_t created = 0;
  std::uint64_t failed = 0;  // that could not be made
  std::array<std::uint64_t, pool_retirement_count> retired{};
  std::uint64_t exhausted = 0;  // times that somebody had to wait for long
  Position changed;             // the last event of it
  Time changed_at;
  Position trouble;  // the last event that says what was wrong with an instance; none = nothing was
  bool operator==(const PoolRecord&) const = default;

  [[nodiscard]] std::uint64_t retired_for(PoolRetirement reason) const {
    return retired[static_cast<std::size_t>(reason)];
  }
};

// Whether an instance that goes for this reason was no good, rather than at its end.
[[nodiscard]] bool is_trouble(PoolRetirement reason);

// A value; O(1) copy. Changed by fold() alone.
struct Pools {
  PersistentMap<NameId, PoolRecord> all;

  void hash_into(StateHasher& hasher) const;
};

struct EventPlace;

bool fold(Pools& pools, Names& names, const EventPlace& place, const InstanceCreated& event);
// Where no instance is known to be alive nothing changes, and the answer is false.
bool fold(Pools& pools, Names& names, const EventPlace& place, const InstanceRetired& event);
bool fold(Pools& pools, Names& names, const EventPlace& place, const InstanceFailed& event);
bool fold(Pools& pools, Names& names, const EventPlace& place, const PoolExhausted& event);
// Instances died with the program that had them.
void forget_instances(Pools& pools);

}  // namespace almanac
