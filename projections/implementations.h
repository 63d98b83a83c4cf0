// What runs kinds: which versions of them, and, of those with several implementations, in which
// order these are preferred and which of them cannot be used.
#pragma once

#include <almanac/log/events/implementation.h>
#include <almanac/log/types.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/state_hasher.h>

#include <compare>
#include <cstdint>
#include <optional>

namespace almanac {

struct ImplementationPlace {
  NameId kind;
  std::uint32_t place = 0;  // 0 is preferred to 1
  auto operator<=>(const ImplementationPlace&) const = default;
};

struct ImplementationStatus {
  NameId name;
  std::uint32_t attempts = 1;  // failed attempts of a task after which the next one is used
  Position left;               // the event that says why it cannot be used; none = it can
  Time left_at;
  bool operator==(const ImplementationStatus&) const = default;
};

// A value; O(1) copy. Changed by fold() alone. All cost O(implementations of the kind).
struct Implementations {
  PersistentMap<ImplementationPlace, ImplementationStatus> all;
  // Of kinds of which not every version is run, by the engine that runs or ran last.
  PersistentMap<NameId, VersionRange> versions;

  [[nodiscard]] const ImplementationStatus* find(NameId kind, NameId name) const;
  // The first that can be used of those behind `after`, or of all where that is none of them. None
  // where there is none, and of a kind with one handler.
  [[nodiscard]] std::optional<NameId> usable(NameId kind, std::optional<NameId> after = {}) const;
  [[nodiscard]] VersionRange versions_of(NameId kind) const;
  // The kind has implementations, and none of them can be used.
  [[nodiscard]] bool hold_back(NameId kind) const;

  void hash_into(StateHasher& hasher) const;
};

struct EventPlace;

// What stays of the implementations of a kind is usable, or not, as it was.
bool fold(Implementations& implementations, Names& names, const EventPlace& place,
          const ImplementationsSet& event);
// What is not known, or is so already, changes nothing and answers false.
bool fold(Implementations& implementations, Names& names, const EventPlace& place,
          const ImplementationLeft& event);
bool fold(Implementations& implementations, Names& names, const EventPlace& place,
          const ImplementationReturned& event);

}  // namespace almanac
