// INFO: how things stand, in the shape that clients and their pages read.
#pragma once

#include <almanac/log/types.h>
#include <almanac/projections/state.h>

#include <cstdint>
#include <set>
#include <string>

namespace almanac {

// What the server knows beside the state.
struct WireStanding {
  std::string description;
  Time now;
  Duration uptime{0};
  std::uint64_t connections = 0;
  std::uint64_t commands = 0;
  std::uint64_t processed = 0;
  std::uint64_t failures = 0;
  std::uint64_t reservations_reaped = 0;
  std::uint64_t workers = 0;
  std::uint64_t workers_reaped = 0;
  std::set<std::string, std::less<>> queues;  // that are known, also where they are empty
};

// The release of the protocol's reference server that this one does what of.
inline constexpr const char* wire_version = "1.10.0";

// Tasks that came otherwise are counted alike; those that are commands are in no queue of the wire.
// O(lanes + delayed + held tasks).
[[nodiscard]] std::string wire_info_json(const State& state, const WireStanding& standing);

}  // namespace almanac
