// Who asked for what through the doors, and who was turned away: counts of all, and the last ones
// in words. All of them are in the log.
#pragma once

#include <almanac/log/events/audit.h>
#include <almanac/log/types.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/state_hasher.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace almanac {

// A request that was let in, or a refusal.
struct AuditEntry {
  Time at;
  AuditDoor door = AuditDoor::socket;
  RefusalReason reason = RefusalReason::failed;  // of a refusal
  std::uint16_t status = 0;                      // the same
  std::uint64_t request = 0;                     // its number; 0 = it was not let in
  std::uint64_t count = 1;  // requests alike; of a refusal, those left out before it
  NameId principal;
  std::string action;
  std::string subject;  // empty of a refusal
  std::string remote;
  bool operator==(const AuditEntry&) const = default;
};

struct AuditCounts {
  std::uint64_t requests = 0;
  std::uint64_t refusals = 0;  // those that were left out too
  Position last;               // the last event about it
  Time last_at;
  bool operator==(const AuditCounts&) const = default;
};

// A value; O(1) copy. Changed by fold() alone. Bounded: limits::audits_kept_max entries of either
// kind, limits::audit_principals_max principals.
struct Audits {
  PersistentMap<NameId, AuditCounts> principals;                // nobody knows who = the empty name
  AuditCounts others;                                           // of principals beyond those
  PersistentMap<Position, AuditEntry> requests;                 // the last ones
  PersistentMap<Position, AuditEntry> refusals;                 // the same
  std::array<std::uint64_t, refusal_reason_count> by_reason{};  // refusals on record

  [[nodiscard]] bool empty() const { return requests.empty() && refusals.empty(); }
  [[nodiscard]] std::uint64_t refused_for(RefusalReason reason) const {
    return by_reason[static_cast<std::size_t>(reason)];
  }
  void hash_into(StateHasher& hasher) const;
};

struct EventPlace;

bool fold(Audits& audits, Names& names, const EventPlace& place, const RequestAudited& event);
bool fold(Audits& audits, Names& names, const EventPlace& place, const RequestRefused& event);

// What contradicts itself, in words. O(entries + principals).
[[nodiscard]] std::vector<std::string> broken_invariants(const Audits& audits, const Names& names);

}  // namespace almanac
